#pragma once

#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! p-values adjusted for a family of tests that was declared beforehand (Holm 1979): the k-th smallest of m becomes
//! max_{j <= k} min(1, (m − j + 1) p_(j)). A test without a p (no discordant items) is a member all the same: it takes part as
//! p = 1, so that the family keeps its size, and stays undefined in the result. Throws Error for a p outside [0, 1].
std::vector<Estimate> holm(std::span<const Estimate> p);

//! Benjamini and Hochberg (1995): min_{j >= k} min(1, m p_(j) / j), which bounds the expected share of false discoveries.
std::vector<Estimate> benjamini_hochberg(std::span<const Estimate> p);

}  // namespace xlrm
