#include "xlrm/ops/head.hpp"

#include <ATen/ops/empty.h>

#include "ops/dispatch.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

at::Tensor reward_head(const at::Tensor& rows, const at::Tensor& weight, bool rounded) {
    const ProfileScope scope("reward head");
    const at::ScalarType sums = accumulate_type(rows.scalar_type());
    const bool round = rounded && rows.scalar_type() == at::kBFloat16;
    const at::Tensor w = weight.to(sums).contiguous();
    at::Tensor scores = at::empty({rows.size(0)}, rows.options().dtype(sums));
    dispatch(rows.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        assert(rows.size(1) == w.numel() && rows.stride(1) == 1);
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            const A score = cpu::kernels<T>().dot(const_data<T>(rows) + i * rows.stride(0), const_data<A>(w), rows.size(1));
            data<A>(scores)[i] = round ? A(float(c10::BFloat16(float(score)))) : score;
        }
    });
    return scores;
}

at::Tensor reward_head_backward(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight, at::Tensor dweight) {
    const ProfileScope scope("reward head backward");
    const at::ScalarType sums = accumulate_type(rows.scalar_type());
    const at::Tensor w = weight.to(sums).contiguous();
    at::Tensor drows = at::empty(rows.sizes(), rows.options());
    dispatch(rows.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        assert(dscores.scalar_type() == sums && dweight.scalar_type() == sums && rows.is_contiguous() && dscores.is_contiguous());
        const std::int64_t d = rows.size(1);
        for (std::int64_t i = 0; i < rows.size(0); ++i) {
            const A g = const_data<A>(dscores)[i];
            cpu::kernels<T>().narrow(const_data<A>(w), data<T>(drows) + i * d, g, d);
            cpu::kernels<T>().axpy(const_data<T>(rows) + i * d, data<A>(dweight), g, d);
        }
    });
    return drows;
}

}  // namespace xlrm
