#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        GatedSaved* saved, bool keep_activated) {
    const at::Tensor product = reference_ops().linear(x, weight, bias);
    const at::Tensor y = reference_ops().gated_activation(product, activation);
    if (saved != nullptr) *saved = {product, keep_activated ? y : at::Tensor()};
    return y;
}

at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const GatedSaved& saved, Activation activation,
                                 at::Tensor* activated) {
    if (activated != nullptr)
        *activated = saved.activated.defined() ? saved.activated : reference_ops().gated_activation(saved.gate_up, activation);
    return reference_ops().gated_activation_backward(reference_ops().linear_backward_input(dout, down), saved.gate_up,
                                                     activation);
}

}  // namespace

void fill_gated_linear(DeviceOps& ops) {
    ops.gated_linear = gated_linear;
    ops.gated_linear_backward = gated_linear_backward;
}

}  // namespace xlrm::reference
