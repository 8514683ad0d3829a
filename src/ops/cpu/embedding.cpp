#include "ops/cpu/fill.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
cpu::Accumulate<T> rounded_scale(double scale) {
    if constexpr (std::is_same_v<T, cpu::Bf16>)
        return float(c10::BFloat16(float(scale)));
    else
        return T(scale);
}

at::Tensor embedding(const at::Tensor& tokens, const at::Tensor& weight, double scale) {
    const std::int64_t d = weight.size(1);
    at::Tensor rows = empty_rows({tokens.size(0), d}, weight.options());
    const std::int32_t* ids = const_data<std::int32_t>(tokens);
    dispatch(weight.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const auto factor = rounded_scale<T>(scale);
        at::parallel_for(0, tokens.size(0), row_grain(d), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t) {
                assert(ids[t] >= 0 && ids[t] < weight.size(0));
                cpu::kernels<T>().scale(const_data<T>(weight) + ids[t] * d, data<T>(rows) + t * d, factor, d);
            }
        });
    });
    return rows;
}

void embedding_backward(const at::Tensor& dy, const at::Tensor& tokens, const at::Tensor& dweight, double scale,
                        std::int32_t fixed) {
    const std::int64_t d = dy.size(1);
    const std::int32_t* ids = const_data<std::int32_t>(tokens);
    // Threads divide the columns, so each element of dweight is summed by one thread in the order of the tokens.
    constexpr std::int64_t kColumns = 64;
    dispatch(dy.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        const auto factor = rounded_scale<T>(scale);
        at::parallel_for(0, (d + kColumns - 1) / kColumns, 1 + 16384 / (dy.size(0) * kColumns + 1),
                         [&](std::int64_t begin, std::int64_t end) {
                             const std::int64_t first = begin * kColumns;
                             const std::int64_t count = std::min(d, end * kColumns) - first;
                             for (std::int64_t t = 0; t < dy.size(0); ++t)
                                 if (ids[t] != fixed)
                                     cpu::kernels<T>().axpy(const_data<T>(dy) + t * d + first,
                                                            data<A>(dweight) + ids[t] * d + first, factor, count);
                         });
    });
}

}  // namespace

void fill_embedding(DeviceOps& ops) {
    ops.embedding = embedding;
    ops.embedding_backward = embedding_backward;
}

}  // namespace xlrm::cpu
