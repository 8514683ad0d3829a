#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Expected gold score of the answer that a proxy prefers among n of N sampled answers, over all subsets of n:
//! Σ_i C(i−1, n−1) gold_(i) / C(N, n), gold sorted by ascending proxy (Nakano et al. 2021, appendix I). Equal proxies share the
//! mean of their golds: among them each is taken as often as another. Throws Error unless 1 <= n <= N and the lists are equally
//! long.
Estimate best_of_n(std::span<const double> proxy, std::span<const double> gold, std::int64_t n);

//! The same for n = 1 … most, in that order; time O(N · most).
std::vector<double> best_of_n_curve(std::span<const double> proxy, std::span<const double> gold, std::int64_t most);

//! log n − (n − 1)/n: an upper bound of the divergence KL(best of n, policy), not its value (Beirami et al. 2024). REQUIRES: n
//! >= 1.
double best_of_n_divergence_bound(std::int64_t n);

}  // namespace xlrm
