#include "xlrm/ops/gated_linear.hpp"

#include "ops/aligned_buffer.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/dispatch.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

//! Columns that the tiles take at a time.
constexpr std::int64_t kColumns = 16;

bool fits_tiles(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return x.scalar_type() == at::kBFloat16 && x.stride(1) == 1 && weight.stride(1) == 1 && !bias.defined() &&
           weight.size(0) % (2 * kColumns) == 0 && cpu::amx_available();
}

}  // namespace

at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        at::Tensor* gate_up) {
    if (!fits_tiles(x, weight, bias)) {
        const at::Tensor product = linear(x, weight, bias);
        if (gate_up != nullptr) *gate_up = product;
        return gated_activation(product, activation);
    }
    const ProfileScope scope("linear and activation", ScopeKind::op, 2.0 * static_cast<double>(x.size(0)) * static_cast<double>(weight.numel()));
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
    at::parallel_for(0, width / kColumns, 1, [&](std::int64_t begin, std::int64_t end) {
        cpu::amx_gated_product(args, begin * kColumns, end * kColumns, thread_scratch<cpu::Bf16>(cpu::amx_gated_product_scratch(args.k)));
    });
    return y;
}

}  // namespace xlrm
