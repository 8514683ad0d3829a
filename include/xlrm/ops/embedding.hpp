#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! rows [T, d] = weight [V, d] at tokens [T] (int32), times `scale` rounded to the dtype (Gemma: sqrt(d); else 1).
at::Tensor embedding(const at::Tensor& tokens, const at::Tensor& weight, double scale = 1.0);

//! dweight [V, d] (fp32 or fp64) += rows of dy at tokens; the order of additions is that of the tokens. `fixed`: a token whose
//! row gets nothing, as padding_idx of PyTorch's Embedding; none where negative.
void embedding_backward(const at::Tensor& dy, const at::Tensor& tokens, at::Tensor dweight, double scale = 1.0,
                        std::int32_t fixed = -1);

}  // namespace xlrm
