#include "ops/cpu/fill.hpp"

#include <ATen/ops/mm.h>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/column_sums.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_product.hpp"
#include "ops/cpu/shares.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
bool fits_own(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight) {
    return dweight.scalar_type() == sum_type(x) && dweight.size(0) % 32 == 0 && dweight.size(1) % 32 == 0 && dy.stride(1) == 1 &&
           x.stride(1) == 1 && dweight.stride(1) == 1 && cpu::own_products<T>() != nullptr;
}

//! dweight += dy^T · x; threads divide the longer side of dweight, so that less is packed twice.
template <class T>
void add_own(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight) {
    using A = cpu::Accumulate<T>;
    const cpu::WeightGradient<T> whole{const_data<T>(dy), dy.stride(0), const_data<T>(x), x.stride(0),
                                       x.size(0),         x.size(1),    data<A>(dweight), dweight.stride(0)};
    const cpu::Products<T>& own = *cpu::own_products<T>();
    const bool by_rows = dweight.size(0) >= dweight.size(1);
    at::parallel_for(0, (by_rows ? dweight.size(0) : dweight.size(1)) / 32, 2, [&](std::int64_t begin, std::int64_t end) {
        cpu::WeightGradient<T> part = whole;
        if (!by_rows) part.x += 32 * begin, part.dweight += 32 * begin, part.k = 32 * (end - begin);
        own.weight_gradient(part, by_rows ? 32 * begin : 0, by_rows ? 32 * end : dweight.size(0),
                            thread_scratch<char>(own.gradient_scratch()));
    });
}

// Threads divide the rows of dweight. A bf16 product is rounded once (2^-9 of each element) and then added in fp32.
void add_library(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight) {
    const bool same = x.scalar_type() == dweight.scalar_type();
    for_shares(dweight.size(0), [&](std::int64_t begin, std::int64_t end) {
        const at::Tensor part = dweight.narrow(0, begin, end - begin);
        const at::Tensor left = dy.narrow(1, begin, end - begin).t();
        if (same)
            part.addmm_(left, x);
        else
            part.add_(at::mm(left, x));
    });
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return row_product(x, weight.t(), bias);
}

at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight) { return row_product(dy, weight, {}); }

void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight, const at::Tensor& dbias) {
    if (dy.size(0) > 0)
        dispatch(x.scalar_type(), [&](auto type) {
            using T = decltype(type);
            if (fits_own<T>(dy, x, dweight))
                add_own<T>(dy, x, dweight);
            else
                add_library(dy, x, dweight);
        });
    if (dbias.defined()) add_column_sums(dy, dbias);
}

}  // namespace

void fill_linear(DeviceOps& ops) {
    ops.linear = linear;
    ops.linear_backward_input = linear_backward_input;
    ops.linear_backward_weight = linear_backward_weight;
}

}  // namespace xlrm::cpu
