#pragma once

#include <functional>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/generate.hpp"
#include "xlrm/eval/judge_orders.hpp"
#include "xlrm/eval/judge_prompt.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! What xlrm_judge is asked for: answers that a language model compares, ranks or rates.
struct JudgeJob {
    std::string verb = "run";                //!< run | export | import
    std::vector<std::string> data, langs;    //!< preference rows
    std::string prompt, parser = "strict";   //!< file (judge_prompt.hpp); rule (judge_parser.hpp)
    std::string orders = "both-consistent";  //!< of pairs: AB | BA | both-consistent | both-average
    std::int64_t votes = 1;                  //!< judgements of each prompt, of which the majority counts
    std::string benchmark = "auto";          //!< whose rule is told: auto (by its subset names) or one of benchmark_names()
    std::string ties =
        "auto";          //!< worth of an even item: auto (the benchmark's; where that is nothing, a half) | loss | half | shared
    std::string output;  //!< cell; of export the requests
    std::string judge;   //!< export, import: the service's name of the model
    std::vector<std::string> verdicts;  //!< import: files
    std::string request_options;        //!< export: JSON for the body of a request
    GenerateJob generate;               //!< model, template, sampling, batch; its prompts and samples are set here
    JudgeJob() { generate.max_new_tokens = 1024; }
};
void describe(Options& options, JudgeJob& job);
//! Those that say how a model judges: prompt, parser, orders, votes, template, sampling, batch. Into the section that is open.
void describe_judging(Options& options, JudgeJob& job);

//! Throws Error(usage) for an option of `section` that was given though it changes nothing with the others as they are; Error for
//! a prompt file that cannot be read.
void check_given(const Options& options, const JudgeJob& job);

//! What determines a judge's verdicts on a prompt of this form, without the prompt's text, the model and the data.
Json judging_content(const JudgeJob& job, JudgeForm form);

//! Of a caller that makes cells of its own.
struct JudgeCaller {
    std::function<void(Cell&)> finish;  //!< on the root, before the cell is written
    std::function<bool()> stop;         //!< on every rank: asks the run to stop, as a signal does
};

//! Collective. `run`: generates the verdicts, which stay beside the cell as `<cell minus .h5>.replies.jsonl` (samples_file.hpp; a
//! sample's id is custom_id of its request), and writes the cell. An item's scores by the form of the prompt:
//!     pair     of the chosen answer the preference (judge_orders.hpp), of the rejected one the rest to 1; ties are equal scores
//!     ranking  rows of four answers, one of them right, which is shown at a place drawn by --seed: ranking_scores; other rows
//!              are counted and left out
//!     rating   each answer by itself: rating_scores
//! The cell's provenance, member `judge`, has the protocol (prompt file's name, version, form and hash; parser; orders; votes)
//! and for each language what JudgeCounts counts; member `verdicts` is true where scores say who won and by how much not. Goes on
//! after a stop like xlrm_generate. `export`: the requests in OpenAI's batch format. `import`: the same cell from replies that
//! others made. Items without a reply to each of their prompts are counted and left out of the cell: of `run` those with a prompt
//! that leaves no token for a reply in the model's context. `caller`: the run is part of another, which holds the lock of the
//! output; nothing is printed.
JobEnd run_judge(const Communicator& world, const JudgeJob& job, const JudgeCaller* caller = nullptr);

//! Collective. What --dry-run prints.
std::string judge_report(const Communicator& world, const JudgeJob& job);

}  // namespace xlrm
