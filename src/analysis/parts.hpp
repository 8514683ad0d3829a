#pragma once

#include <string>
#include <vector>

#include "resampled.hpp"
#include "score_set.hpp"
#include "xlrm/analysis/result_table.hpp"

namespace xlrm {

//! What the parts of an analysis read of one base and benchmark.
struct PartInput {
    const ScoreSet& set;
    const Resampled& resampled;
    std::string english;  //!< the language whose models are compared with the targets' own
};

//! Each adds the rows of one base and benchmark to its tables; made without input, tables have columns and no row.
void add_accuracy(const PartInput& input, std::vector<ResultTable>& tables);
void add_gaps(const PartInput& input, std::vector<ResultTable>& tables);
void add_headline(const PartInput& input, std::vector<ResultTable>& tables);
void add_additive(const PartInput& input, std::vector<ResultTable>& tables);
void add_seeds(const PartInput& input, std::vector<ResultTable>& tables);
void add_pairs(const PartInput& input, std::vector<ResultTable>& tables);
void add_languages(const PartInput& input, std::vector<ResultTable>& tables);
void add_calibration(const PartInput& input, std::vector<ResultTable>& tables);
void add_baselines(const PartInput& input, std::vector<ResultTable>& tables);

std::vector<ResultTable> accuracy_tables();
std::vector<ResultTable> gap_tables();
std::vector<ResultTable> headline_tables();
std::vector<ResultTable> additive_tables();
std::vector<ResultTable> seed_tables();
std::vector<ResultTable> pair_tables();
std::vector<ResultTable> language_tables();
std::vector<ResultTable> calibration_tables();
std::vector<ResultTable> baseline_tables();

//! A part by name: its empty tables, and what fills them.
struct Part {
    std::string name;
    bool needs_resampling = false;
    std::vector<ResultTable> (*tables)();
    void (*add)(const PartInput&, std::vector<ResultTable>&);
};
const std::vector<Part>& parts();

//! Exact two-sided p of equal accuracy (strict) of two sources on the items of `target` that `subset` (−1: all) has, by random
//! signs of the clusters' differences over all their seeds (sign_flip_test). missing_cell where a source has no model.
Estimate paired_p(const TargetScores& target, const std::string& first, const std::string& second, std::int64_t subset = -1);

//! p of a category: paired_p of all items or a subset; no_rule for sections and averages, which are weighted.
Estimate category_p(const TargetScores& target, const Category& category, const std::string& first, const std::string& second);

//! Items that a category counts.
std::int64_t category_items(const TargetScores& target, const Category& category);

}  // namespace xlrm
