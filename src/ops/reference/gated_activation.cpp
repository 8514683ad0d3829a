#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor activated(const at::Tensor& gate, Activation activation) {
    return activation == Activation::gelu_tanh ? at::gelu(gate, "tanh") : at::silu(gate);
}

at::Tensor gated_activation(const at::Tensor& gate_up, Activation activation) {
    const std::int64_t width = gate_up.size(1) / 2;
    const at::Tensor wide = gate_up.to(sum_type(gate_up));
    return (activated(wide.narrow(1, 0, width), activation) * wide.narrow(1, width, width)).to(gate_up.scalar_type());
}

at::Tensor gated_activation_backward(const at::Tensor& dy, const at::Tensor& gate_up, Activation activation) {
    const std::int64_t width = dy.size(1);
    const at::Tensor wide = gate_up.to(sum_type(gate_up)), slope = dy.to(wide.scalar_type());
    const at::Tensor gate = wide.narrow(1, 0, width).contiguous(), up = wide.narrow(1, width, width);
    const at::Tensor dgate =
        activation == Activation::gelu_tanh ? at::gelu_backward(slope * up, gate, "tanh") : at::silu_backward(slope * up, gate);
    return at::cat({dgate, slope * activated(gate, activation)}, 1).to(gate_up.scalar_type());
}

}  // namespace

void fill_gated_activation(DeviceOps& ops) {
    ops.gated_activation = gated_activation;
    ops.gated_activation_backward = gated_activation_backward;
}

}  // namespace xlrm::reference
