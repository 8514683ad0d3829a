#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! An item of a benchmark and the scores of its answers, the right ones first. Scores are those of the cell (float32) as doubles,
//! as RewardBench's scripts read them.
struct ScoredItem {
    std::string id, subset, lang;
    std::vector<double> scores;
    std::int32_t num_correct = 1;
    std::int32_t occurrence = 0;  //!< Item::occurrence
};
//! REQUIRES: a cell that write_cell took or read_cell_scores gave: each item has right answers and wrong ones, and finite scores.
std::vector<ScoredItem> scored_items(const Cell& cell);
std::vector<ScoredItem> scored_items(const CellScores& cell);

//! What an item is worth where its best right answer and its best wrong one have the same score:
//!     loss    nothing (RewardBench 1: strict >)
//!     half    1/2
//!     shared  the right ones' share of the answers that have it (RewardBench 2: 1/k)
enum class TiePolicy { loss, half, shared };
TiePolicy parse_tie_policy(const std::string& name);  //!< Throws Error(usage).
std::string name_of(TiePolicy policy);

//! 1 where the best right answer beats every wrong one, 0 where a wrong one beats it, else by policy.
double credit(const ScoredItem& item, TiePolicy policy);

//! Score of the Ties subset of RewardBench 2, ids "ref:<n>" and "tied:<n>": 0.3 share of accurate tied items + 0.3 share of
//! accurate ref items + 0.2 share of prompts whose gap exceeds their spread + 0.2 the same with the lesser gap of both + 0.01
//! mean tanh(lesser gap / spread - 1), the last three over prompts that have both items. Accurate: the worst right answer beats
//! the best wrong one; gap: by how much; spread: best right - worst right. The rule is that of rewardbench 0.1.4
//! (process_single_model), which gives NaN where no prompt has a spread: here that part is 0. Throws Error for other ids, or one
//! that comes twice.
double ties_score(std::span<const ScoredItem> items);

struct SubsetScore {
    double value = 0.0;  //!< mean credit; ties_score for Ties of RewardBench 2
    std::int64_t items = 0;
};
struct SectionScore {
    std::string name;
    double value = 0.0;  //!< 0 where the data have none of its subsets, as rewardbench says it
    bool present = false;
};

//! What a benchmark's own rule makes of the items, each counted once.
struct BenchmarkScores {
    std::map<std::string, SubsetScore> subsets;
    std::vector<SectionScore> sections;  //!< in the benchmark's order; none for mm-eval and plain
    double total = 0.0;                  //!< over the sections (subsets) that are present; 0 where none is
    double accuracy = 0.0;               //!< mean credit of all items
    std::int64_t items = 0;
    std::vector<std::string> uncounted;  //!< subsets that the rule leaves out of its total
};

//! Benchmarks by name:
//!     rewardbench                     version 1: sections weighted by published counts (math-prm up-weighted), Prior Sets at
//!     half weight rewardbench-before-2024-09-10   the same with the weights of xstest-should-refuse and -should-respond
//!     interchanged, as published
//!                                     until then (rewardbench commit 6552e93)
//!     rewardbench2                    plain mean of the domains, shared ties, Ties by its own score
//!     m-rewardbench                   sections weighted by M-RewardBench's counts
//!     mm-eval                         plain accuracy by subset; total: mean of the subsets but lang_res
//!     plain                           accuracy by subset; total: accuracy of all items
std::vector<std::string> benchmark_names();

//! The benchmark whose subset names the items have (English: rewardbench, other languages: m-rewardbench), else plain.
std::string recognised_benchmark(std::span<const ScoredItem> items);

//! The policy of a benchmark: shared for rewardbench2, else loss. Throws Error(usage) for an unknown name.
TiePolicy default_ties(const std::string& benchmark);

//! Items of one language. Throws Error(usage) for an unknown benchmark.
BenchmarkScores score_benchmark(const std::string& benchmark, TiePolicy ties, std::span<const ScoredItem> items);

//! Subsets' accuracies to sections and total by the weights of `benchmark`: what rewardbench's calculate_scores_per_section does.
void add_sections(const std::string& benchmark, BenchmarkScores* scores);

//! Each language by itself; where there are several, a model's score is the mean of their totals (M-RewardBench).
struct BenchmarkReport {
    std::string benchmark;
    TiePolicy ties = TiePolicy::loss;
    std::map<std::string, BenchmarkScores> languages;
    double mean() const;
};
//! `benchmark` "auto": recognised; `ties` "auto": the benchmark's own.
BenchmarkReport report_benchmark(const std::string& benchmark, const std::string& ties, std::span<const ScoredItem> items);
std::string format_benchmark(const BenchmarkReport& report);
Json benchmark_json(const BenchmarkReport& report);

}  // namespace xlrm
