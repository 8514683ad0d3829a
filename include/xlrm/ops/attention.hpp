#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/ops/kv_pages.hpp"
#include "xlrm/ops/segments.hpp"

namespace xlrm {

struct AttentionConfig {
    double scale = 1.0;       //!< on q·k
    std::int64_t window = 0;  //!< > 0: a token sees itself and the window-1 tokens before it (Mistral, Gemma-2)
    double soft_cap = 0.0;    //!< > 0: cap · tanh(score / cap) before the mask (Gemma-2)
};

struct AttentionSaved {
    at::Tensor lse;  //!< [N, H] log-sum-exp of each row's scores, fp32 (fp64 for fp64)
};

//! out [N, H, D] for q [N, H, D], k and v [T, Hkv, D] (H a multiple of Hkv; rows may be strided views of merged q/k/v) under the
//! masks of `segments`; softmax in fp32 (fp64). Rows of q that no segment names are left as they come. `cache` holds the
//! sequences that segments name, the keys of the queries themselves among them. A row's bits depend only on its own text,
//! whatever is packed beside it, and not on where its keys lie.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved = nullptr, const KvPages* cache = nullptr);

struct AttentionGrads {
    at::Tensor dq, dk, dv;
};

//! Gradients in tensors of their own.
AttentionGrads attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                  const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                                  const AttentionConfig& config);

//! The same written over dq [N, H, D], dk and dv [T, Hkv, D], which may be strided views of one merged gradient. Every row of k
//! and v must have an owner among the segments (see Segment), whether or not queries see it.
void attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                        const AttentionConfig& config, const AttentionGrads& grads);

}  // namespace xlrm
