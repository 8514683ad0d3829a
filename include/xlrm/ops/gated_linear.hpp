#pragma once

#include "xlrm/ops/gated_activation.hpp"

namespace xlrm {

//! y [T, ff] = gated_activation(linear(x [T, k], weight [2·ff, k], bias)), to the bit. `gate_up`, where it is asked for, receives
//! the product [T, 2·ff], which the backward pass needs; without it, in bf16 on matrix tiles, the product never leaves the
//! processor.
at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        at::Tensor* gate_up = nullptr);

//! d(gate_up) [T, 2·ff] from dout [T, n] of linear(y, down [n, ff]), y = gated_activation(gate_up): to the bit
//! gated_activation_backward(linear_backward_input(dout, down), gate_up). `activated`, where it is asked for, receives y again.
at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const at::Tensor& gate_up, Activation activation,
                                 at::Tensor* activated = nullptr);

//! Whether `activated` costs gated_linear_backward nothing, so that it need not be kept.
bool makes_activation_again(const at::Tensor& dout, const at::Tensor& down);

}  // namespace xlrm
