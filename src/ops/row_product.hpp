#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! y [T, n] = x [T, k] · weight [k, n] (+ bias [n]); either of weight's dimensions is contiguous. What keeps a row's bits the same
//! in any company:
//! - bf16 on processors with matrix tiles (AMX), or without any instructions for bf16: our own product, in which they depend on nothing
//!   else by construction.
//! - fp32 with MKL: its mode of strict reproducibility for Intel's processors (measured with AVX2 and AVX-512: any number of rows).
//! - Elsewhere: the libraries are called with multiples of kRowBlock rows, no promise of theirs. Measured to suffice for oneDNN's bf16
//!   with AVX-512 and for MKL's fp32 with AVX-512 where the columns are the same; not for MKL with AVX2 in its usual mode.
at::Tensor row_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace xlrm
