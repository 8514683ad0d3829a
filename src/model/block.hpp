#pragma once

#include <ATen/core/Tensor.h>

#include "xlrm/model/config.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/model/parameters.hpp"
#include "xlrm/ops/attention.hpp"
#include "xlrm/ops/gated_linear.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rope.hpp"

namespace xlrm {

//! Views of one block's tensors in a flat buffer (weights or a gradient), q/k/v and gate/up as merged products. Biases that the
//! family does not have are undefined; so are q_norm and k_norm, and the norms of the contributions, post1 and post2.
struct BlockTensors {
    at::Tensor norm1, qkv, qkv_bias, q_norm, k_norm, o, o_bias, post1, norm2, gate_up, gate_up_bias, down, down_bias, post2;
    std::shared_ptr<const PackedWeight> packed_qkv = {}, packed_o = {}, packed_gate_up = {}, packed_down = {};  //!< or null
};
BlockTensors block_tensors(const Parameters& parameters, const ModelConfig& config, const at::Tensor& buffer, std::int64_t layer);

//! What one block keeps for its backward pass. Where only `needed` rows are computed, q, attended, x_mid and all below
//! them are of those rows.
struct BlockSaved {
    at::Tensor x_in, rstd1;                   //!< residual before the first norm [T, d]
    at::Tensor h1;                            //!< its norm; undefined: computed again
    at::Tensor q, k, v;                       //!< [rows, heads, head_dim], q and k normed and rotated
    at::Tensor q_raw, q_rstd, k_raw, k_rstd;  //!< with q/k norms: before them
    at::Tensor attended;                      //!< [rows, H, D]
    AttentionSaved attention;
    at::Tensor part1, post_rstd1;  //!< with post norms: attention's contribution before its norm
    at::Tensor x_mid, rstd2;       //!< residual before the second norm
    at::Tensor h2;                 //!< undefined: computed again
    GatedSaved gated;
    at::Tensor part2, post_rstd2;
};

//! What blocks compute with beside their weights.
struct BlockContext {
    const ModelConfig& config;
    const PackedBatch& batch;
    const RopeTable& rope;
    AttentionConfig attention;  //!< its window is the layer's own
    Segments needed_segments;   //!< where the last block computes some rows only: the batch's segments for these
    KvPages* cache = nullptr;   //!< the layer's, for a batch of continuations
};

//! Attention's contribution to the residual, from the normed residual h1 [T, d]: [T, d], or [N, d] for `needed`.
at::Tensor attention_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1,
                             const at::Tensor& needed, BlockSaved* saved);

//! The MLP's contribution, from the normed residual h2.
at::Tensor mlp_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h2, BlockSaved* saved,
                       bool keep_all);

//! Computes again what attention_forward, the norms and mlp_forward would have kept of the block whose input is saved.x_in.
void block_again(const BlockContext& context, const BlockTensors& weights, const at::Tensor& needed, BlockSaved& saved);

//! dx [T, d] from d(block's output) [T, d] or [N, d], which is overwritten; adds the weights' gradients.
at::Tensor block_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                          at::Tensor doutput, const at::Tensor& needed, const BlockSaved& saved);

}  // namespace xlrm
