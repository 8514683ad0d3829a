#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! Rows [N, d] of x [T, d] at index [N] (int64).
at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index);

//! The transpose: dx [T, d] += rows of dy [N, d] at index, in order.
void scatter_add_rows(const at::Tensor& dy, const at::Tensor& index, at::Tensor dx);

//! Mean over token ranges: out [N, d] fp32 (fp64) = mean of x's rows [begin[i], end[i]); sums in order, in fp32 (fp64). An empty
//! range gives zeros.
at::Tensor segment_mean(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end);

}  // namespace xlrm
