#include "ops/cpu/fill.hpp"

#include <ATen/ops/empty.h>

#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"

namespace xlrm::cpu {
namespace {

at::Tensor gated_activation(const at::Tensor& gate_up, Activation activation) {
    const std::int64_t width = gate_up.size(1) / 2;
    at::Tensor y = empty_rows({gate_up.size(0), width}, gate_up.options());
    dispatch(gate_up.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const cpu::GateArgs<T> args{const_data<T>(gate_up), nullptr, data<T>(y), width, activation == Activation::gelu_tanh};
        at::parallel_for(0, y.size(0), row_grain(4 * width),
                         [&](std::int64_t begin, std::int64_t end) { cpu::kernels<T>().gate(args, begin, end); });
    });
    return y;
}

at::Tensor gated_activation_backward(const at::Tensor& dy, const at::Tensor& gate_up, Activation activation) {
    at::Tensor dgate_up = empty_rows(gate_up.sizes(), gate_up.options());
    dispatch(gate_up.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const cpu::GateArgs<T> args{const_data<T>(gate_up), const_data<T>(dy), data<T>(dgate_up), dy.size(1),
                                    activation == Activation::gelu_tanh};
        at::parallel_for(0, dy.size(0), row_grain(6 * args.width),
                         [&](std::int64_t begin, std::int64_t end) { cpu::kernels<T>().gate_backward(args, begin, end); });
    });
    return dgate_up;
}

}  // namespace

void fill_gated_activation(DeviceOps& ops) {
    ops.gated_activation = gated_activation;
    ops.gated_activation_backward = gated_activation_backward;
}

}  // namespace xlrm::cpu
