#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! sums [d] (fp32, fp64) += column sums of x [T, d]; the order of additions depends on T alone.
void add_column_sums(const at::Tensor& x, const at::Tensor& sums);

//! sums [d] += the rows of partial [chunks, d], in order.
void add_partial_sums(const at::Tensor& partial, const at::Tensor& sums);

//! Rows of one partial sum: fixed, so that the bits of a sum do not depend on the number of threads.
inline constexpr std::int64_t kSumRows = 64;
inline std::int64_t sum_chunks(std::int64_t rows) { return (rows + kSumRows - 1) / kSumRows; }

}  // namespace xlrm
