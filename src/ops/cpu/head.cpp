#include "ops/cpu/fill.hpp"

#include <ATen/ops/empty.h>

#include "ops/cpu/dispatch.hpp"

namespace xlrm::cpu {
namespace {

at::Tensor reward_head(const at::Tensor& rows, const at::Tensor& weight, bool rounded) {
    const at::ScalarType sums = sum_type(rows);
    const bool round = rounded && rows.scalar_type() == at::kBFloat16;
    const at::Tensor w = weight.to(sums).contiguous();
    at::Tensor scores = at::empty({rows.size(0)}, rows.options().dtype(sums));
    dispatch(rows.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            const A score = cpu::kernels<T>().dot(const_data<T>(rows) + i * rows.stride(0), const_data<A>(w), rows.size(1));
            data<A>(scores)[i] = round ? A(float(c10::BFloat16(float(score)))) : score;
        }
    });
    return scores;
}

at::Tensor reward_head_backward(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight,
                                const at::Tensor& dweight) {
    const at::ScalarType sums = sum_type(rows);
    const at::Tensor w = weight.to(sums).contiguous();
    at::Tensor drows = at::empty(rows.sizes(), rows.options());
    dispatch(rows.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        const std::int64_t d = rows.size(1);
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            const A g = const_data<A>(dscores)[i];
            cpu::kernels<T>().narrow(const_data<A>(w), data<T>(drows) + i * d, g, d);
            cpu::kernels<T>().axpy(const_data<T>(rows) + i * d, data<A>(dweight), g, d);
        }
    });
    return drows;
}

}  // namespace

void fill_head(DeviceOps& ops) {
    ops.reward_head = reward_head;
    ops.reward_head_backward = reward_head_backward;
}

}  // namespace xlrm::cpu
