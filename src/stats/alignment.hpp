#pragma once

#include <cmath>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! HSIC(K, L), HSIC(K, K), HSIC(L, L), up to a common factor, to the alignment; `why` where an own one is not positive.
inline Estimate alignment(double kl, double kk, double ll, Undefined why) {
    if (kk <= 0.0 || ll <= 0.0) return why;
    return kl / (std::sqrt(kk) * std::sqrt(ll));
}

}  // namespace xlrm
