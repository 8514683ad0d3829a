#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! Type of sums, statistics and gradients of weights beside a tensor of `dtype`: fp32, and fp64 beside fp64.
inline at::ScalarType sum_type(at::ScalarType dtype) { return dtype == at::kDouble ? at::kDouble : at::kFloat; }
inline at::ScalarType sum_type(const at::Tensor& x) { return sum_type(x.scalar_type()); }

}  // namespace xlrm
