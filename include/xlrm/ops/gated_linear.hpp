#pragma once

#include "xlrm/ops/gated_activation.hpp"

namespace xlrm {

//! y [T, ff] = gated_activation(linear(x [T, k], weight [2·ff, k], bias)), to the bit. `gate_up`, where it is asked for, receives the
//! product [T, 2·ff], which the backward pass needs; without it, in bf16 on matrix tiles, the product never leaves the processor.
at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        at::Tensor* gate_up = nullptr);

}  // namespace xlrm
