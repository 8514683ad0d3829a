#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/ops/segments.hpp"

namespace xlrm {

struct AttentionConfig {
    double scale = 1.0;       //!< on q·k
    std::int64_t window = 0;  //!< > 0: a token sees itself and the window-1 tokens before it (Mistral, Gemma-2)
    double soft_cap = 0.0;    //!< > 0: cap · tanh(score / cap) before the mask (Gemma-2)
};

struct AttentionSaved {
    at::Tensor lse;  //!< [T, H] log-sum-exp of each row's scores, fp32 (fp64 for fp64)
};

//! out [T, H, D] for q [T, H, D], k and v [T, Hkv, D] (H a multiple of Hkv; rows may be strided views of merged q/k/v) under the
//! masks of `segments`; softmax in fp32 (fp64). A row's bits depend only on its own text, whatever is packed beside it.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved = nullptr);

struct AttentionGrads {
    at::Tensor dq, dk, dv;
};

//! Gradients in tensors of their own.
AttentionGrads attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                  const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                                  const AttentionConfig& config);

//! The same written over dq, dk and dv, which may be strided views of one merged gradient.
void attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                        const AttentionConfig& config, const AttentionGrads& grads);

}  // namespace xlrm
