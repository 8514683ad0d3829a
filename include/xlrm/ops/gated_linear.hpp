#pragma once

#include "xlrm/ops/gated_activation.hpp"

namespace xlrm {

//! What the backward pass needs of a gated_linear.
struct GatedSaved {
    at::Tensor gate_up;    //!< [T, 2·ff] the product
    at::Tensor activated;  //!< [T, ff] y; undefined where it is computed again, to the same bits
};

//! y [T, ff] = gated_activation(linear(x [T, k], weight [2·ff, k], bias)), to the bit. `saved`, where it is asked for, receives
//! what the backward pass needs: y too, with `keep_activated`, unless the device's backward pass makes it again on its way.
//! Without it, in bf16 on matrix tiles, the product never leaves the processor.
at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        GatedSaved* saved = nullptr, bool keep_activated = true);

//! d(gate_up) [T, 2·ff] from dout [T, n] of linear(y, down [n, ff]), y = gated_activation(gate_up): to the bit
//! gated_activation_backward(linear_backward_input(dout, down), gate_up). `activated`, where it is asked for, receives y, kept
//! or computed again.
at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const GatedSaved& saved, Activation activation,
                                 at::Tensor* activated = nullptr);

}  // namespace xlrm
