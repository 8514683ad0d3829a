#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! x = cap · tanh(x / cap) in place for x [T, n] (fp32, fp64; Gemma-2's final logits); `slope` [T, n], where defined, receives
//! the derivative 1 - tanh²(x / cap). Row by row: bits do not depend on T.
void soft_cap(const at::Tensor& x, double cap, const at::Tensor& slope = {});

}  // namespace xlrm
