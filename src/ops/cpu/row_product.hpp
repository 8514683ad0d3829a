#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm::cpu {

//! y [T, n] = x [T, k] · weight [k, n] (+ bias [n]); either of weight's dimensions is contiguous. What keeps a row's bits the
//! same in any company:
//! - Our own products, in which they depend on nothing else by construction: bf16 on processors with matrix tiles (AMX), and all
//! types on
//!   x86-64 where the libraries are worse: bf16 without instructions for it, fp32 and fp64 where MKL has no strict mode.
//! - fp32 with MKL in that mode (measured with AVX2 and AVX-512: any number of rows).
//! - Elsewhere: the libraries are called with multiples of kRowBlock rows, no promise of theirs. Measured to suffice for oneDNN's
//! bf16
//!   with AVX-512.
at::Tensor row_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace xlrm::cpu
