#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "xlrm/analysis/grid.hpp"
#include "xlrm/stats/estimate.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

//! Accuracy on one set of items. A tie counts as wrong (strict >), as in RewardBench; ties are told.
struct Accuracy {
    std::int64_t items = 0, correct = 0, ties = 0;
    Interval wilson;  //!< 95 %
    double share() const { return items > 0 ? static_cast<double>(correct) / static_cast<double>(items) : 0.0; }
};

//! One entry of the grid: source × target for one base, benchmark and subset ("" = all), pooled over seeds, with one entry a seed
//! beside. All of a line, and of a column, is over the same items: those that every cell of its base, benchmark and target has.
//! An item is its id and occurrence (Item::occurrence).
struct TransferEntry {
    std::string base, benchmark, source, target, subset;
    Accuracy pooled;  //!< over seeds: items × seeds
    std::map<std::int64_t, Accuracy> seeds;
    std::map<std::int64_t, double>
        scores;        //!< by seed: what the rule of a recognised benchmark makes of the items; none for plain data
    std::string rule;  //!< that benchmark's name
    double gap = 0.0;  //!< share − that of the model trained on the target (NaN where there is none)
    //! Mean of `scores` over seeds; NaN without.
    double score() const;
    double floor = 0.0;  //!< surface-feature accuracy of the same source and target; NaN where an item has no verdict
    Interval floor_wilson;
    std::int64_t left_out = 0;  //!< items of the data that are not among them (ItemsLeftOut)
};

//! Items of one base, benchmark and target that are not in the table.
struct ItemsLeftOut {
    std::string base, benchmark, target;
    std::int64_t items = 0;          //!< of the data
    std::int64_t too_long = 0;       //!< left out of the cells for the length limit
    std::int64_t max_length = 0;     //!< that limit, tokens
    std::int64_t not_in_all = 0;     //!< that some cell has, but not every one
    std::int64_t without_floor = 0;  //!< in the table, but without a verdict of some source's floor
};

//! Mean singular-value ratio f over the parallel items of a benchmark, of one model (last layer, pooled token, chosen answers).
struct RatioEntry {
    std::string model, benchmark;
    std::int64_t items = 0;
    std::map<std::string, Estimate> mean;  //!< variant → mean f
};

//! Off-diagonal cells of one base and benchmark together: mean of (model right − floor right) with an interval clustered by item.
struct PooledGain {
    std::string base, benchmark;
    ClusteredMean gain, accuracy, floor;
    std::int64_t cells = 0;
};

struct TransferTable {
    std::vector<TransferEntry> entries;
    std::vector<RatioEntry> ratios;
    std::vector<PooledGain> gains;
    std::vector<ItemsLeftOut> left_out;  //!< where there is something to say
    std::int64_t missing = 0;            //!< cells of the grid that are not there
    std::vector<std::string> sources, targets;
};

//! Reads every cell that verifies. Throws Error for a cell that verifies but is not what the grid says.
TransferTable build_table(const Grid& grid);

std::string format_text(const TransferTable& table);
std::string format_markdown(const TransferTable& table);
//! One line an entry and seed:
//! base,benchmark,subset,source,target,seed,items,correct,ties,accuracy,low,high,gap,floor,floor_low,floor_high,rule,score,left_out.
std::string format_csv(const TransferTable& table);

}  // namespace xlrm
