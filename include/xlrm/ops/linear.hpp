#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace xlrm {

//! A weight in the form that products read, where that is another one than its tensor's.
struct PackedWeight {
    virtual ~PackedWeight() = default;
};
//! Of weight [n, k], for weights that stay as they are over many products of few rows: with it they are up to twice as fast, and
//! have the same bits. Takes the weight's memory again. Null where products read the weight as it is.
std::shared_ptr<const PackedWeight> pack_weight(const at::Tensor& weight);

//! y [T, n] = x [T, k] · weight [n, k]^T (+ bias [n]). x, weight, bias and y share one dtype (fp32, bf16, fp64).
//! A row's bits depend on that row, weight and bias alone: neither on other rows, their number and the row's place among them,
//! nor on the number of threads, nor on whether other columns are computed beside it. In bf16 on processors with matrix tiles
//! (AMX) that holds by construction (each element is one fp32 sum over k in order, rounded once, behind the bias). For fp32 it
//! was checked on a Sapphire Rapids processor, with 1 to 2000 rows, k from 64 to 14336 and n from 16 to 14336, even and odd; see
//! the test ops/linear_scan. Elsewhere rows are divided into blocks that the libraries were seen to treat alike, so that a
//! program must check what it promises (check_exactness).
//! `packed`: pack_weight(weight), or null.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {},
                  const PackedWeight* packed = nullptr);

//! dx [T, k] = dy [T, n] · weight [n, k].
at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight);

//! dweight [n, k] += dy^T · x and, when defined, dbias [n] += column sums of dy. Gradients are fp32 (fp64 when x is fp64)
//! whatever the dtype of x. For bf16 on processors with matrix tiles (AMX), n and k multiples of 32, all sums are fp32; elsewhere
//! the product of one call is rounded to bf16 once before it is added.
void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias = {});

}  // namespace xlrm
