#include "ops/cpu/fill.hpp"

#include "ops/cpu/dispatch.hpp"

namespace xlrm::cpu {
namespace {

void rope(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table, bool inverse) {
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        const cpu::RopeArgs<T> args{rows_of<T>(x),
                                    const_data<std::int32_t>(positions),
                                    const_data<A>(table.cos),
                                    const_data<A>(table.sin),
                                    table.cos.size(1),
                                    inverse};
        at::parallel_for(0, x.size(0), row_grain(x.size(1) * x.size(2)),
                         [&](std::int64_t begin, std::int64_t end) { cpu::kernels<T>().rope(args, begin, end); });
    });
}

}  // namespace

void fill_rope(DeviceOps& ops) { ops.rope = rope; }

}  // namespace xlrm::cpu
