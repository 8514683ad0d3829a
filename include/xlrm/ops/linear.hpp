#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! y [T, n] = x [T, k] · weight [n, k]^T (+ bias [n]). x, weight, bias and y share one dtype (fp32, bf16, fp64).
//! A row's bits depend neither on the other rows nor on the number of threads: rows are divided among threads that call the library each
//! for itself, and few rows are padded to 16. Checked on a Sapphire Rapids processor for fp32 with k from 64 to 4096 and bf16 with k up
//! to 1024. In bf16 with k = 2048 and above oneDNN chooses its blocks of the depth by the number of rows, so it does not hold there.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

//! dx [T, k] = dy [T, n] · weight [n, k].
at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight);

//! dweight [n, k] += dy^T · x and, when defined, dbias [n] += column sums of dy. Gradients are fp32 (fp64 when x is fp64)
//! whatever the dtype of x. For bf16 on processors with matrix tiles (AMX), n and k multiples of 32, all sums are fp32; elsewhere the
//! product of one call is rounded to bf16 once before it is added.
void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias = {});

}  // namespace xlrm
