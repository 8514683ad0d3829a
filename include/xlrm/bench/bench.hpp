#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/model/config.hpp"

namespace xlrm {

//! What xlrm_bench measures, and on what.
//!     roof      matrix products: large and square through libtorch, the model's own shapes through xlrm's linear
//!     train     steps of Bradley-Terry training: rates, parts of a step, share of the roof, peak memory
//!     score     scoring with a reward head, likewise
//!     capture   scoring with the last token and the mean of all layers, against scoring alone
//!     decode    new tokens of one text, one at a time, behind 64 and behind 2048 others: each alone up to its logits
//!     generate  texts of 64 prompts of 32 tokens: 64 new tokens each, greedy; four samples each of 16 to 112 tokens
//!     prefix    the prompt computed once, against once for each answer: training, pairs, best of 16
//!     tokenize  a tokenizer on texts
//!     prepare   rows read, tokenised and written, against the sentencepiece library called in a loop on the same texts
//!     reduce    the gradient reducer against MPI's all-reduce of the same buffers (two ranks or more)
//!     scaling   training and scoring of growing numbers of short pairs
//!     cells     whole sweeps of a tiny model, of growing numbers of cells
struct BenchOptions {
    std::vector<std::string> what;  //!< empty: all that have what they need
    std::string size = "small";     //!< tiny, small, medium, or FAMILY:HIDDEN:LAYERS:HEADS:KV:FF[:VOCAB]
    std::string model;              //!< a folder in place of random weights
    std::string tokenizer;          //!< for data and text; default: the model's
    std::vector<std::string> data;  //!< preference rows in place of synthetic pairs
    std::string chat_template = "auto", template_date = "26 Jul 2024";
    std::int64_t max_length = 1024;
    std::vector<std::string> rows = {"short", "long"};  //!< synthetic pairs
    std::int64_t prompt_tokens = 0, answer_tokens = 0;  //!< > 0: of synthetic pairs, in place of `rows`
    std::int64_t pairs = 0;      //!< pairs scored, and rows of the data that are used; 0: as many as fill two batches; all rows
    std::string dtype = "both";  //!< fp32 | bf16 | both
    std::string reduction = "auto";  //!< training: auto | flat | hierarchical
    std::int64_t token_budget = 8192;
    std::int64_t batch_pairs = 0;  //!< pairs a step; 0: as many as fill the token budget
    std::int64_t repeat = 5, warm_up = 1;
    std::int64_t square = 2048;         //!< roof: side of the large product
    std::int64_t threads = 0;           //!< 0: as libtorch chooses (OMP_NUM_THREADS)
    std::vector<std::string> texts;     //!< tokenize: files of texts, a text a line
    std::string generate_data;          //!< generate: file of prompts; "": random ones
    std::int64_t generate_samples = 1;  //!< generate: texts for each prompt
    std::string generate_output;        //!< generate: file for their ids
    std::vector<std::string> scaling_pairs = {"1000", "10000", "100000"};
    std::string scaling_size = "tiny";
    std::vector<std::string> cell_counts = {"10", "100", "1000"};  //!< cells: multiples of 10
    std::string json;                                              //!< file for the figures
    std::int64_t seed = 42;
    at::Device device = at::kCPU;
};
void describe(Options& options, BenchOptions& bench);

//! Throws Error(usage).
void check(const BenchOptions& bench);

//! The shape that `--size` names. Throws Error(usage).
ModelConfig named_size(const std::string& size);

struct BenchReport {
    std::string table;  //!< for people
    //! {"machine": {…}, "options": {…}, "results": [{"what", "case", "dtype", "figures": {name: {"unit", "median", "min", "max",
    //! "mean", "samples"}}}]}. Rates and sums are over all ranks; times are those of the slowest rank.
    Json json;
};
//! Collective. A figure is over `repeat` runs after `warm_up` others; times are of the steady clock.
BenchReport run_bench(const Communicator& world, const BenchOptions& bench);

//! Collective. What --dry-run prints: what would run, and about how long, by the speed of one small matrix product.
std::string bench_plan(const Communicator& world, const BenchOptions& bench);

}  // namespace xlrm
