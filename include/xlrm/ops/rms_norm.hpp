#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! How the weight enters. `plain`: normalise in fp32, cast to the dtype, then × weight (Llama, Qwen). `one_plus`: × (1 + weight)
//! in fp32, then cast (Gemma).
enum class NormWeight { plain, one_plus };

struct RmsNormResult {
    at::Tensor y;     //!< [T, d], dtype of x
    at::Tensor rstd;  //!< [T] fp32 (fp64 for fp64): 1 / sqrt(mean(x²) + eps)
};

//! y = x / sqrt(mean(x²) + eps) · weight over the last dimension; x [T, d] or [T, H, D] (then rstd is [T, H]).
RmsNormResult rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, NormWeight kind = NormWeight::plain);

//! residual += delta (both [T, d], contiguous), then the norm of the new residual: one pass over memory. With `keep` the sum is a
//! new tensor, and what residual was stays as it is.
RmsNormResult add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps,
                           NormWeight kind = NormWeight::plain, bool keep = false);

//! Adds the gradient with respect to x into `dx` (so the residual's own gradient is kept) and that of the weight into
//! dweight [d] (fp32 or fp64). `dx` has x's dtype.
void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       NormWeight kind, at::Tensor dx, at::Tensor dweight);

}  // namespace xlrm
