#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        at::Tensor* gate_up) {
    const at::Tensor product = reference_ops().linear(x, weight, bias);
    if (gate_up != nullptr) *gate_up = product;
    return reference_ops().gated_activation(product, activation);
}

at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const at::Tensor& gate_up, Activation activation,
                                 at::Tensor* activated) {
    if (activated != nullptr) *activated = reference_ops().gated_activation(gate_up, activation);
    return reference_ops().gated_activation_backward(reference_ops().linear_backward_input(dout, down), gate_up, activation);
}

bool makes_activation_again(const at::Tensor&, const at::Tensor&) { return false; }

}  // namespace

void fill_gated_linear(DeviceOps& ops) {
    ops.gated_linear = gated_linear;
    ops.gated_linear_backward = gated_linear_backward;
    ops.makes_activation_again = makes_activation_again;
}

}  // namespace xlrm::reference
