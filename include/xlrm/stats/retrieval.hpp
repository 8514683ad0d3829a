#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How well parallel texts find one another: X (n, d), Y (n, d), row i of both the same item in two languages, C_ij = cosine. All
//! depend on n (chance of P@1 is 1/n) but the margin hardly: give n beside them. too_few_items below two.
struct Retrieval {
    Estimate x_to_y = Undefined::no_items, y_to_x = Undefined::no_items;  //!< P@1: share of i with C_ii above all others of its
                                                                          //!< row (column); a tie is wrong
    Estimate csls =
        Undefined::no_items;  //!< P@1 from x to y of 2C_ij − r_i − r_j, r the mean of the k nearest (Conneau et al. 2018)
    Estimate mexa = Undefined::no_items;  //!< share of i with C_ii above all others of its row and column (Kargaran et al. 2025)
    Estimate margin = Undefined::no_items;  //!< mean C_ii − mean of the others
};
Retrieval retrieval(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k = 10);

//! Each row minus the mean of all: takes a language's own direction away.
at::Tensor without_mean(const at::Tensor& x);

}  // namespace xlrm
