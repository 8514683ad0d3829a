#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "score_set.hpp"
#include "xlrm/stats/bootstrap.hpp"

namespace xlrm {

struct ResamplingOptions {
    std::int64_t resamples = 2000;
    std::uint64_t seed = 1;
    double level = 0.95;
};

//! Accuracies A[source, target, category] (means over a source's seeds) of a score set over the data, over resamples of its
//! clusters, and without each cluster: the same resamples for all, so that differences are paired.
class Resampled {
public:
    Resampled(const ScoreSet& set, const ResamplingOptions& options);

    //! The place of a cell's accuracy; −1 where there is none (a missing cell, no such category, a rule that is no mean).
    std::int64_t find(const std::string& source, const std::string& target, const std::string& category) const;
    //! A function of accuracies with its BCa interval, or the percentile one. `compute` is given the accuracies of one resample
    //! and returns NaN where it has no value.
    EstimateWithInterval derive(const std::function<double(std::span<const double>)>& compute,
                                IntervalKind kind = IntervalKind::bca) const;
    EstimateWithInterval accuracy(std::int64_t cell, IntervalKind kind = IntervalKind::bca) const;
    EstimateWithInterval difference(std::int64_t first, std::int64_t second, IntervalKind kind = IntervalKind::bca) const;
    const ResamplingOptions& options() const { return options_; }

private:
    struct Cell {
        std::string source, target, category;
    };
    ResamplingOptions options_;
    std::vector<std::int32_t> strata_;
    std::vector<Cell> cells_;
    std::vector<double> value_;                    //!< by cell
    std::vector<std::vector<double>> resampled_;   //!< (resample, cell)
    std::vector<std::vector<double>> jackknifed_;  //!< (cluster, cell)
};

}  // namespace xlrm
