#include "ops/cpu/fill.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "ops/cpu/column_sums.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/row_blocks.hpp"

namespace xlrm::cpu {
namespace {

//! Of x, or of x + delta, which `sum` receives.
RmsNormResult normalise(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& sum, const at::Tensor& weight, double eps,
                        NormWeight kind) {
    assert(!delta.defined() ||
           (delta.is_contiguous() && x.is_contiguous() && sum.is_contiguous() && x.dim() == 2 && delta.sizes() == x.sizes()));
    RmsNormResult result;
    result.y = x.dim() == 2 ? empty_rows(x.sizes(), x.options()) : at::empty(x.sizes(), x.options());
    result.rstd = at::empty(x.sizes().slice(0, std::size_t(x.dim() - 1)), x.options().dtype(sum_type(x)));
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        cpu::NormArgs<T> args;
        args.x = rows_of<const T>(x);
        args.delta = delta.defined() ? const_data<T>(delta) : nullptr;
        args.sum = delta.defined() ? data<T>(sum) : nullptr;
        args.weight = const_data<T>(weight);
        args.y = data<T>(result.y);
        args.rstd = data<cpu::Accumulate<T>>(result.rstd);
        args.d = x.size(-1);
        args.eps = eps;
        args.one_plus = kind == NormWeight::one_plus;
        at::parallel_for(0, result.rstd.numel(), row_grain(args.d),
                         [&](std::int64_t begin, std::int64_t end) { cpu::kernels<T>().norm(args, begin, end); });
    });
    return result;
}

RmsNormResult rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, NormWeight kind) {
    return normalise(x, {}, {}, weight, eps, kind);
}

RmsNormResult add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps, NormWeight kind,
                           bool keep) {
    const at::Tensor before = residual;
    if (keep) residual = empty_rows(before.sizes(), before.options());
    return normalise(before, delta, residual, weight, eps, kind);
}

void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       NormWeight kind, const at::Tensor& dx, const at::Tensor& dweight) {
    const std::int64_t rows = rstd.numel();
    const at::Tensor partial = at::empty({sum_chunks(rows), x.size(-1)}, dweight.options());
    dispatch(x.scalar_type(), [&](auto type) {
        using T = decltype(type);
        using A = cpu::Accumulate<T>;
        cpu::NormBackwardArgs<T> args;
        args.dy = rows_of<const T>(dy);
        args.x = rows_of<const T>(x);
        args.dx = rows_of<T>(dx);
        args.weight = const_data<T>(weight);
        args.rstd = const_data<A>(rstd);
        args.d = x.size(-1);
        args.one_plus = kind == NormWeight::one_plus;
        at::parallel_for(0, partial.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t c = begin; c < end; ++c)
                cpu::kernels<T>().norm_backward(args, c * kSumRows, std::min(rows, (c + 1) * kSumRows),
                                                data<A>(partial) + c * args.d);
        });
    });
    add_partial_sums(partial, dweight);
}

}  // namespace

void fill_rms_norm(DeviceOps& ops) {
    ops.rms_norm = rms_norm;
    ops.add_rms_norm = add_rms_norm;
    ops.rms_norm_backward = rms_norm_backward;
}

}  // namespace xlrm::cpu
