#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "table_items.hpp"
#include "xlrm/analysis/grid.hpp"
#include "xlrm/analysis/statement.hpp"

namespace xlrm {

//! Verdicts of one model on the items of a target, in their order.
struct ModelScores {
    std::string source, model;
    std::int64_t seed = 0;
    std::vector<double> margin;  //!< best right answer − best wrong one
    std::vector<double> right;   //!< 1 above, 0 at or below (strict)
    std::vector<double> half;    //!< ½ at a tie
    std::vector<double> worth;   //!< credit by the benchmark's own rule for ties
    std::int64_t ties = 0;
    double score = 0.0;  //!< total of the benchmark's own rule
};

//! A score over a target's items: the mean of the subsets' mean worths with weights, or of all items (strict).
struct Category {
    std::string name;
    std::string kind;             //!< "all" | "subset" | "section" | "average"
    std::vector<double> weights;  //!< by subset of the target, sum 1; empty: all items alike
    bool resampled = true;        //!< false where the rule is no mean over items
};

//! All models on one base, benchmark and target, over the items that every one of them has.
struct TargetScores {
    std::string target, rule;
    std::vector<ItemKey> items;
    std::vector<std::string> subsets;             //!< names, ascending
    std::vector<std::size_t> subset, cluster;     //!< of each item: index into subsets; into ScoreSet::clusters
    std::vector<std::int64_t> length_difference;  //!< tokens of the chosen answer's text − the rejected one's; empty: not known
    std::vector<ModelScores> models;              //!< in the order of the grid
    std::vector<Category> categories;             //!< "all" first
    std::int64_t left_out = 0;                    //!< items that some cell has, but not every one

    const ModelScores* find(const std::string& source, std::int64_t seed) const;
    //! Models of a source, one a seed.
    std::vector<const ModelScores*> of(const std::string& source) const;
    std::int64_t cluster_count() const;
};

//! All of one base and benchmark.
struct ScoreSet {
    std::string base, benchmark;
    std::vector<std::string> sources;   //!< with a cell, in the order of the grid; kGivenModel alone: of a model that is given
    std::vector<TargetScores> targets;  //!< with a common item, in the order of the grid
    std::vector<std::string> clusters;  //!< stems of the items' ids (item_stem): translations and siblings are one cluster
    std::vector<std::int32_t> strata;   //!< of each cluster: clusters whose items lie in the same subsets
    std::map<std::string, FloorMap> floors;  //!< by source
    std::map<std::string, bool> single;      //!< whether a source is one language

    const TargetScores* find(const std::string& target) const;
    //! Of one model that is given: nothing to compare it with.
    bool given() const { return sources == std::vector<std::string>{kGivenModel}; }
};

//! Reads the cells of one base and benchmark, and states what is left out: items that not every cell of a target has, targets and
//! categories of too few. `refuse_differences`: items that not every cell has are an Error.
ScoreSet read_scores(const Grid& grid, const std::string& base, const std::string& benchmark, bool refuse_differences,
                     Statements* statements);

//! Bases and benchmarks of trained models' cells, in the order of the grid.
std::vector<std::pair<std::string, std::string>> score_sets(const Grid& grid);

}  // namespace xlrm
