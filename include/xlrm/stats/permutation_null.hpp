#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! What a similarity is worth: its values when the examples of one side are shuffled, as independent representations would give.
struct PermutationNull {
    Estimate p = Undefined::no_items;    //!< one-sided, (1 + hits) / (1 + permutations); equal values are hits
    Estimate q95 = Undefined::no_items;  //!< 95 % quantile of the shuffled values; of a distance the 5 % one
    std::int64_t permutations = 0;
};

enum class Alike { large, small };  //!< which values say that two representations are alike

//! `of_order(order)`: the statistic with example order[i] of the second side in place i. Permutation r is stream r of `seed`.
//! Throws Error unless permutations > 0.
PermutationNull permutation_null(double value, std::int64_t n, std::int64_t permutations, std::uint64_t seed, Alike alike,
                                 const std::function<double(std::span<const std::int64_t>)>& of_order);

//! Σ_{i>j} a_ij b_{order(i) order(j)} of symmetric (n, n) fp64 matrices, without a shuffled copy.
double lower_product(const at::Tensor& a, const at::Tensor& b, std::span<const std::int64_t> order);

}  // namespace xlrm
