#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! scores [N] fp32 (fp64) = rows [N, d] · weight [d]: products and sums in fp32 (fp64), one row at a time in a fixed order, so a
//! score does not depend on N. `rounded`: then rounded to the dtype of rows, as transformers'
//! head gives it.
at::Tensor reward_head(const at::Tensor& rows, const at::Tensor& weight, bool rounded = false);

//! drows [N, d] (dtype of rows) from dscores [N] (fp32, fp64); dweight [d] (fp32, fp64) is added to.
at::Tensor reward_head_backward(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight, at::Tensor dweight);

}  // namespace xlrm
