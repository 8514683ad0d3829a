#pragma once

#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! 1-Wasserstein distance of two samples, of equal sizes or not: ∫ |F_x − F_y|; at equal sizes the mean of |sorted x − sorted y|.
Estimate wasserstein_1(std::vector<double> x, std::vector<double> y);
//! Kolmogorov-Smirnov distance, the largest |F_x − F_y|.
Estimate kolmogorov_smirnov(std::vector<double> x, std::vector<double> y);

}  // namespace xlrm
