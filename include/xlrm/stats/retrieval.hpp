#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How well parallel texts find one another: X (n, d), Y (n, d), row i of both the same item in two languages, C_ij = cosine. All
//! depend on n (chance of P@1 is 1/n) but the margin hardly: give n beside them. too_few_items below two.
struct Retrieval {
    //! P@1: share of i with C_ii above all others of its row (column); a tie is wrong
    Estimate x_to_y = Undefined::no_items, y_to_x = Undefined::no_items;
    //! P@1 from x to y of 2C_ij − r_i − r_j, r the mean of the k nearest (Conneau et al. 2018)
    Estimate csls = Undefined::no_items;
    //! Share of i with C_ii above all others of its row and column (Kargaran et al. 2025)
    Estimate mexa = Undefined::no_items;
    Estimate margin = Undefined::no_items;  //!< mean C_ii − mean of the others
};
Retrieval retrieval(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k = 10);

//! The same of rows at unit length, for sides that are compared with many. `csls_k` 0 leaves csls out (not_estimated), which
//! takes as long as all the others.
Retrieval retrieval_of_units(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k = 10);
//! Rows divided by their Euclidean norm; zero rows stay zero.
at::Tensor at_unit_length(const at::Tensor& x);

//! Each row minus the mean of all: takes a language's own direction away.
at::Tensor without_mean(const at::Tensor& x);

}  // namespace xlrm
