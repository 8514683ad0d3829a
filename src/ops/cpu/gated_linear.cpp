#include "ops/cpu/fill.hpp"

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm::cpu {
namespace {

//! Columns that the tiles take at a time.
constexpr std::int64_t kColumns = 16;

//! Whether the tiles take this width; then the backward pass makes the activation again on its way, so that it need not be kept.
bool has_tiles(const at::Tensor& x, std::int64_t width) {
    return x.scalar_type() == at::kBFloat16 && width % kColumns == 0 && cpu::amx_available();
}

bool fits_tiles(const at::Tensor& x, const at::Tensor& weight, std::int64_t width) {
    return has_tiles(x, width) && x.stride(1) == 1 && weight.stride(1) == 1;
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
                        GatedSaved* saved, bool keep_activated) {
    const std::int64_t width = weight.size(0) / 2;
    const bool keeps = saved != nullptr && keep_activated && !has_tiles(x, width);
    if (bias.defined() || !fits_tiles(x, weight, width)) {
        const at::Tensor product = linear(x, weight, bias), y = gated_activation(product, activation);
        if (saved != nullptr) *saved = {product, keeps ? y : at::Tensor()};
        return y;
    }
    const ProfileScope scope("linear and activation", ScopeKind::op, flops(x, weight));
    const at::Tensor y = empty_rows({x.size(0), width}, x.options());
    if (saved != nullptr) *saved = {empty_rows({x.size(0), 2 * width}, x.options()), keeps ? y : at::Tensor()};
    const cpu::AmxGatedProduct args{const_data<cpu::Bf16>(x),
                                    x.stride(0),
                                    const_data<cpu::Bf16>(weight),
                                    weight.stride(0),
                                    saved != nullptr ? data<cpu::Bf16>(saved->gate_up) : nullptr,
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

at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const GatedSaved& saved, Activation activation,
                                 at::Tensor* activated) {
    const at::Tensor& gate_up = saved.gate_up;
    const bool again = activated != nullptr && !saved.activated.defined();
    if (activated != nullptr) *activated = saved.activated;
    if (!fits_tiles(dout, down, down.size(1))) {
        if (again) *activated = gated_activation(gate_up, activation);
        return gated_activation_backward(linear_backward_input(dout, down), gate_up, activation);
    }
    const ProfileScope scope("linear and activation backward", ScopeKind::op, flops(dout, down));
    const at::Tensor dgate_up = empty_rows(gate_up.sizes(), gate_up.options());
    if (again) *activated = empty_rows({dout.size(0), down.size(1)}, dout.options());
    const cpu::AmxGatedBackward args{const_data<cpu::Bf16>(dout),
                                     dout.stride(0),
                                     const_data<cpu::Bf16>(down),
                                     down.stride(0),
                                     const_data<cpu::Bf16>(gate_up),
                                     data<cpu::Bf16>(dgate_up),
                                     again ? data<cpu::Bf16>(*activated) : nullptr,
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
}

}  // namespace xlrm::cpu
