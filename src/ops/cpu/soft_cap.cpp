#include "ops/cpu/fill.hpp"

#include "ops/cpu/dispatch.hpp"

namespace xlrm::cpu {
namespace {

void soft_cap(const at::Tensor& x, double cap, const at::Tensor& slope) {
    const std::int64_t n = x.size(1);
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        if constexpr (std::is_same_v<T, A>) {
            at::parallel_for(0, x.size(0), row_grain(4 * n), [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t r = begin; r < end; ++r)
                    cpu::kernels<T>().soft_cap(data<A>(x) + r * n, slope.defined() ? data<A>(slope) + r * n : nullptr, A(cap), n);
            });
        } else {
            fail("A soft cap of bf16 values was asked for (the op knows fp32 and fp64); widen them first.");
        }
    });
}

}  // namespace

void fill_soft_cap(DeviceOps& ops) { ops.soft_cap = soft_cap; }

}  // namespace xlrm::cpu
