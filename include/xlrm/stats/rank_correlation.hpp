#pragma once

#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Ranks from 1; equal values share the mean of their ranks.
std::vector<double> mean_ranks(std::span<const double> values);

//! no_variation where one of the two is constant; too_few_items below two. Throws Error for lists of unequal lengths.
Estimate pearson(std::span<const double> x, std::span<const double> y);
//! Pearson's correlation of the mean ranks (Spearman 1904), right with ties.
Estimate spearman(std::span<const double> x, std::span<const double> y);

}  // namespace xlrm
