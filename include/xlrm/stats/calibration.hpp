#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Reward margins m = score(chosen) − score(rejected) as probabilities sigmoid(m) that the chosen answer is better. The right
//! answer is always "chosen", so reliability is that of confidence sigmoid(|m|) in the answer that the model prefers; m = 0 is
//! wrong.

//! Mean of log(1 + exp(−m)): the Bradley-Terry loss.
Estimate negative_log_likelihood(std::span<const double> margins);
//! Mean of (1 − sigmoid(m))².
Estimate brier_score(std::span<const double> margins);

struct ReliabilityBin {
    double confidence = 0.0, accuracy = 0.0;  //!< means over the bin
    std::int64_t items = 0;
};
//! `bins` bins of as equal sizes as can be (sizes differ by at most one, the larger ones first), in ascending confidence; empty
//! ones left out.
std::vector<ReliabilityBin> equal_mass_bins(std::span<const double> margins, std::int64_t bins);
//! `bins` intervals of [½, 1] of equal width, closed on the right.
std::vector<ReliabilityBin> equal_width_bins(std::span<const double> margins, std::int64_t bins);

//! Expected calibration error, Σ items · |confidence − accuracy| / Σ items, and the largest difference.
Estimate expected_calibration_error(std::span<const ReliabilityBin> bins);
Estimate maximum_calibration_error(std::span<const ReliabilityBin> bins);

//! T > 0 that minimises negative_log_likelihood(m / T), to 1e-12 in 1/T, where the loss is convex. separable where no margin is
//! negative or zero; no_signal where the mean margin is not positive. T above 1: rewards are too confident.
Estimate temperature(std::span<const double> margins);

}  // namespace xlrm
