#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

enum class Activation { silu, gelu_tanh };

//! y [T, ff] = act(gate) · up for gate_up [T, 2·ff] (gate first). Computed in fp32 (fp64), row by row, bits independent of T.
at::Tensor gated_activation(const at::Tensor& gate_up, Activation activation);

//! d(gate_up) [T, 2·ff] from dy [T, ff]; recomputes the activation from gate_up.
at::Tensor gated_activation_backward(const at::Tensor& dy, const at::Tensor& gate_up, Activation activation);

}  // namespace xlrm
