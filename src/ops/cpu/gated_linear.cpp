#include "ops/cpu/fill.hpp"

#include "ops/aligned_buffer.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/dispatch.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm::cpu {
namespace {

//! Columns that the tiles take at a time.
constexpr std::int64_t kColumns = 16;

bool fits_tiles(const at::Tensor& x, const at::Tensor& weight, std::int64_t width) {
    return x.scalar_type() == at::kBFloat16 && x.stride(1) == 1 && weight.stride(1) == 1 && width % kColumns == 0 &&
           cpu::amx_available();
}

double flops(const at::Tensor& rows, const at::Tensor& weight) {
    return 2.0 * static_cast<double>(rows.size(0)) * static_cast<double>(weight.numel());
}

//! body(begin, end, scratch) over the columns of width; threads divide them.
template <class Body>
void for_columns(std::int64_t width, std::int64_t scratch, Body body) {
    at::parallel_for(0, width / kColumns, 1, [&](std::int64_t begin, std::int64_t end) {
        body(begin * kColumns, end * kColumns, thread_scratch<cpu::Bf16>(scratch));
    });
}

at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        at::Tensor* gate_up) {
    if (bias.defined() || !fits_tiles(x, weight, weight.size(0) / 2)) {
        const at::Tensor product = linear(x, weight, bias);
        if (gate_up != nullptr) *gate_up = product;
        return gated_activation(product, activation);
    }
    const ProfileScope scope("linear and activation", ScopeKind::op, flops(x, weight));
    const std::int64_t width = weight.size(0) / 2;
    const at::Tensor y = empty_rows({x.size(0), width}, x.options());
    if (gate_up != nullptr) *gate_up = empty_rows({x.size(0), 2 * width}, x.options());
    const cpu::AmxGatedProduct args{const_data<cpu::Bf16>(x),
                                    x.stride(0),
                                    const_data<cpu::Bf16>(weight),
                                    weight.stride(0),
                                    gate_up != nullptr ? data<cpu::Bf16>(*gate_up) : nullptr,
                                    data<cpu::Bf16>(y),
                                    x.size(0),
                                    x.size(1),
                                    width,
                                    activation == Activation::gelu_tanh};
    for_columns(width, cpu::amx_gated_product_scratch(args.k), [&](std::int64_t begin, std::int64_t end, cpu::Bf16* scratch) {
        cpu::amx_gated_product(args, begin, end, scratch);
    });
    return y;
}

bool makes_activation_again(const at::Tensor& dout, const at::Tensor& down) { return fits_tiles(dout, down, down.size(1)); }

at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const at::Tensor& gate_up, Activation activation,
                                 at::Tensor* activated) {
    if (!makes_activation_again(dout, down)) {
        if (activated != nullptr) *activated = gated_activation(gate_up, activation);
        return gated_activation_backward(linear_backward_input(dout, down), gate_up, activation);
    }
    const ProfileScope scope("linear and activation backward", ScopeKind::op, flops(dout, down));
    const at::Tensor dgate_up = empty_rows(gate_up.sizes(), gate_up.options());
    if (activated != nullptr) *activated = empty_rows({dout.size(0), down.size(1)}, dout.options());
    const cpu::AmxGatedBackward args{const_data<cpu::Bf16>(dout),
                                     dout.stride(0),
                                     const_data<cpu::Bf16>(down),
                                     down.stride(0),
                                     const_data<cpu::Bf16>(gate_up),
                                     data<cpu::Bf16>(dgate_up),
                                     activated != nullptr ? data<cpu::Bf16>(*activated) : nullptr,
                                     dout.size(0),
                                     dout.size(1),
                                     down.size(1),
                                     activation == Activation::gelu_tanh};
    for_columns(args.width, cpu::amx_product_scratch(args.k), [&](std::int64_t begin, std::int64_t end, cpu::Bf16* scratch) {
        cpu::amx_gated_backward(args, begin, end, scratch);
    });
    return dgate_up;
}

}  // namespace

void fill_gated_linear(DeviceOps& ops) {
    ops.gated_linear = gated_linear;
    ops.gated_linear_backward = gated_linear_backward;
    ops.makes_activation_again = makes_activation_again;
}

}  // namespace xlrm::cpu
