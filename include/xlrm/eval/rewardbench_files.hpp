#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/eval/benchmark.hpp"

namespace xlrm {

//! What an item's result files hold beside its scores.
struct ItemText {
    Json columns;                    //!< the row as it was read
    std::string prompt;              //!< rendered
    std::vector<std::string> texts;  //!< rendered with each answer, the right ones first
};

struct RewardBenchExport {
    std::filesystem::path folder;
    std::string model;  //!< "org/name"; RewardBench's scripts expect the organisation
    std::string tokenizer;
    std::string chat_template;  //!< "tokenizer" where the model brings its own
};

//! Writes the files that RewardBench's own scripts write (rewardbench 0.1.4: run_rm.py, run_v2.py, the command line) and read,
//! below `folder`:
//!     eval-set/<model>.json            {model, model_type, chat_template, <subset>: value, …}, Ties by its own score
//!     eval-set-scores/<model>.json     columns id, subset, text_chosen, text_rejected, scores_chosen, scores_rejected, results;
//!     where items
//!                                      have more than two answers: id, subset, text, scores, results, num_correct
//!     pref-sets/, pref-sets-scores/    the same for the subsets of the Prior Sets
//!     <model>.json                     pairs: {accuracy, num_prompts, model, ref_model, tokenizer, chat_template, extra_results}
//!     <model>_outputs.jsonl            pairs: a row each, with the data's other columns
//!     scores.json                      xlrm's own: benchmark_json(report)
//! With several languages, and for M-RewardBench, <model> is <model>-<lang>, and M-RewardBench's `subset_results` and
//! <model>-<lang>-all.jsonl are there. Results follow the benchmark's own rule for ties, whatever the report says; `items` and
//! `texts` go in step.
void write_rewardbench_files(const RewardBenchExport& target, const BenchmarkReport& report, std::span<const ScoredItem> items,
                             std::span<const ItemText> texts);

}  // namespace xlrm
