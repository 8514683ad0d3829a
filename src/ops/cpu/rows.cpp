#include "ops/cpu/fill.hpp"

#include <ATen/ops/zeros.h>

#include <cstring>

#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"

namespace xlrm::cpu {
namespace {

at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index) {
    at::Tensor rows = empty_rows({index.size(0), x.size(1)}, x.options());
    const std::int64_t* at = const_data<std::int64_t>(index);
    const std::size_t bytes = std::size_t(x.size(1)) * x.element_size();
    at::parallel_for(0, index.size(0), row_grain(x.size(1)), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            assert(at[i] >= 0 && at[i] < x.size(0));
            std::memcpy(data<char>(rows) + i * std::int64_t(bytes),
                        const_data<char>(x) + at[i] * x.stride(0) * std::int64_t(x.element_size()), bytes);
        }
    });
    return rows;
}

void scatter_add_rows(const at::Tensor& dy, const at::Tensor& index, const at::Tensor& dx) {
    const std::int64_t* at = const_data<std::int64_t>(index);
    dispatch(dy.scalar_type(), [&](auto type) {
        using T = decltype(type);
        for (std::int64_t i = 0; i < index.size(0); ++i)
            cpu::kernels<T>().add(const_data<T>(dy) + i * dy.stride(0), data<T>(dx) + at[i] * dx.stride(0), dy.size(1));
    });
}

at::Tensor segment_mean(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end) {
    const std::int64_t d = x.size(1);
    at::Tensor mean = at::zeros({begin.size(0), d}, x.options().dtype(sum_type(x)));
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        at::parallel_for(0, begin.size(0), 1, [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t i = from; i < to; ++i) {
                const std::int64_t first = const_data<std::int64_t>(begin)[i];
                const std::int64_t last = const_data<std::int64_t>(end)[i];
                A* out = data<A>(mean) + i * d;
                for (std::int64_t t = first; t < last; ++t)
                    cpu::kernels<T>().axpy(const_data<T>(x) + t * x.stride(0), out, A(1), d);
                if (last > first) cpu::kernels<A>().scale(out, out, A(1) / A(last - first), d);
            }
        });
    });
    return mean;
}

}  // namespace

void fill_rows(DeviceOps& ops) {
    ops.gather_rows = gather_rows;
    ops.scatter_add_rows = scatter_add_rows;
    ops.segment_mean = segment_mean;
}

}  // namespace xlrm::cpu
