#include "ops/cpu/column_sums.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/cpu/dispatch.hpp"

namespace xlrm {

void add_partial_sums(const at::Tensor& partial, const at::Tensor& sums) {
    const std::int64_t d = partial.size(1);
    dispatch(sums.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        for (std::int64_t i = 0; i < partial.size(0); ++i)
            cpu::kernels<A>().axpy(const_data<A>(partial) + i * d, data<A>(sums), A(1), d);
    });
}

void add_column_sums(const at::Tensor& x, const at::Tensor& sums) {
    const std::int64_t rows = x.size(0);
    const std::int64_t d = x.size(1);
    const at::Tensor partial = at::zeros({sum_chunks(rows), d}, sums.options());
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        assert(sums.scalar_type() == sum_type(x) && x.stride(1) == 1);
        at::parallel_for(0, partial.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t c = begin; c < end; ++c)
                for (std::int64_t r = c * kSumRows; r < std::min(rows, (c + 1) * kSumRows); ++r)
                    cpu::kernels<T>().axpy(const_data<T>(x) + r * x.stride(0), data<A>(partial) + c * d, A(1), d);
        });
    });
    add_partial_sums(partial, sums);
}

}  // namespace xlrm
