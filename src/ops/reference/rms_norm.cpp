#include <ATen/TensorOperators.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sum.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor factor_of(const at::Tensor& weight, NormWeight kind, at::ScalarType dtype) {
    const at::Tensor wide = weight.to(dtype);
    return kind == NormWeight::one_plus ? wide + 1.0 : wide;
}

RmsNormResult rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, NormWeight kind) {
    const at::Tensor wide = x.to(sum_type(x));
    const at::Tensor rstd = at::rsqrt(at::mean(wide * wide, {-1}) + eps);
    const at::Tensor normed = wide * rstd.unsqueeze(-1);
    if (kind == NormWeight::one_plus) return {(normed * factor_of(weight, kind, wide.scalar_type())).to(x.scalar_type()), rstd};
    return {normed.to(x.scalar_type()) * weight, rstd};
}

RmsNormResult add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps, NormWeight kind,
                           bool keep) {
    if (keep)
        residual = residual + delta;
    else
        residual.add_(delta);
    return reference_ops().rms_norm(residual, weight, eps, kind);
}

void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       NormWeight kind, const at::Tensor& dx, const at::Tensor& dweight) {
    const at::ScalarType sums = sum_type(x);
    const at::Tensor slope = dy.to(sums), normed = x.to(sums) * rstd.unsqueeze(-1);
    const at::Tensor scaled = slope * factor_of(weight, kind, sums);
    const at::Tensor change = (scaled - normed * at::mean(scaled * normed, {-1}, true)) * rstd.unsqueeze(-1);
    dx.copy_(dx.to(sums) + change);
    dweight.add_(at::sum((slope * normed).reshape({-1, x.size(-1)}), at::IntArrayRef{0}));
}

}  // namespace

void fill_rms_norm(DeviceOps& ops) {
    ops.rms_norm = rms_norm;
    ops.add_rms_norm = add_rms_norm;
    ops.rms_norm_backward = rms_norm_backward;
}

}  // namespace xlrm::reference
