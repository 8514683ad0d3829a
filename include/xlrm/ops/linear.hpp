#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! y [T, n] = x [T, k] · weight [n, k]^T (+ bias [n]). x, weight, bias and y share one dtype (fp32, bf16, fp64).
//! A row's bits do not depend on the other rows: products with few rows are padded to the smallest size for which the
//! library's kernels are row-invariant.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

//! dx [T, k] = dy [T, n] · weight [n, k].
at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight);

//! dweight [n, k] += dy^T · x and, when defined, dbias [n] += column sums of dy. Gradients are fp32 (fp64 when x is fp64)
//! whatever the dtype of x; sums run in that type.
void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias = {});

}  // namespace xlrm
