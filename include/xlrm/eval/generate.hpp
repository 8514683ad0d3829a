#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/data/row_form_options.hpp"
#include "xlrm/infer/sampling.hpp"
#include "xlrm/ops/device.hpp"

namespace xlrm {

//! What xlrm_generate is asked for.
struct GenerateJob {
    std::string model, output;
    std::vector<std::string> prompts, langs;
    RowFormOptions forms;
    std::string split, part;  //!< "train=0.6,test=0.4", "test"
    std::string default_lang = "en";
    std::string chat_template = "auto", template_date;
    std::int64_t samples = 1;
    SamplingOptions sampling;
    std::int64_t beams = 0;
    double length_penalty = 1.0;
    std::string early_stopping = "no";
    std::int64_t max_new_tokens = 256;
    std::vector<std::string> stop;      //!< texts; \n, \t, \\ and \xHH are read as in C
    std::vector<std::string> stop_ids;  //!< in place of the model's end tokens
    bool ignore_eos = false;
    std::int64_t max_length = 0;  //!< tokens of prompt and text; 0: as many as the model has positions
    std::string over_length = "drop";
    std::int64_t token_budget = 512;
    std::int64_t cache_memory = 0;  //!< MiB a rank; 0: what the texts may need, or half of the memory that is free
    std::string detect = "auto";    //!< auto (where this build can) | yes | no
    std::string exact = "auto", dtype = "fp32";
    at::Device device = at::kCPU;
    std::int64_t seed = 42;
};
void describe(Options& options, GenerateJob& job);

//! Throws Error(usage) for an option that was given though it changes nothing with the others as they are.
void check_given(const Options& options, const GenerateJob& job);

//! Collective. Generates the texts and writes them as samples.jsonl (store/samples_file.hpp), with facts of the run in
//! `<output>.run.json`: what determines the samples, and where, when and how fast they were made. Prompts are dealt to the ranks.
//! Finished texts are kept in `<output>.part<rank>` until all are there, so the same command goes on after a stop or a kill, on
//! any number of ranks, to the same bytes.
JobEnd run_generate(const Communicator& world, const GenerateJob& job);

//! Collective. What --dry-run prints: the prompts by language, tokens, time and memory. Writes nothing.
std::string generation_report(const Communicator& world, const GenerateJob& job);

}  // namespace xlrm
