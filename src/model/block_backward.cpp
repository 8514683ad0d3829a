#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>

#include "block.hpp"
#include "block_views.hpp"
#include "xlrm/ops/gated_linear.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

at::Tensor norm_again(const ModelConfig& config, const at::Tensor& kept, const at::Tensor& x, const at::Tensor& weight) {
    return kept.defined() ? kept : rms_norm(x, weight, config.norm_eps, config.norm_weight).y;
}

// d(contribution before its norm); without such a norm the gradient as it is.
at::Tensor post_norm_backward(const ModelConfig& config, const at::Tensor& dnormed, const at::Tensor& x, const at::Tensor& rstd,
                              const at::Tensor& weight, const at::Tensor& dweight) {
    if (!weight.defined()) return dnormed;
    const at::Tensor dx = empty_rows(x.sizes(), x.options());
    dx.zero_();
    rms_norm_backward(dnormed, x, weight, rstd, config.norm_weight, dx, dweight);
    return dx;
}

// Writes d(heads before norm and rotation) into `out`; `dheads` is overwritten.
void head_norm_backward(const BlockContext& context, const at::Tensor& dheads, const at::Tensor& positions, const at::Tensor& raw,
                        const at::Tensor& rstd, const at::Tensor& weight, const at::Tensor& dweight, const at::Tensor& out) {
    rope(dheads, positions, context.rope, true);
    out.zero_();
    rms_norm_backward(dheads, raw, weight, rstd, context.config.norm_weight, out, dweight);
}

// Adds the MLP's part of d(x_mid) to `dx`, which is d(output) on entry.
void mlp_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients, const at::Tensor& dx,
                  const BlockSaved& saved) {
    const ModelConfig& config = context.config;
    const at::Tensor dpart = post_norm_backward(config, dx, saved.part2, saved.post_rstd2, weights.post2, gradients.post2);
    at::Tensor activated;
    const at::Tensor dgate_up = gated_linear_backward(dpart, weights.down, saved.gated, config.activation, &activated);
    linear_backward_weight(dpart, activated, gradients.down, gradients.down_bias);
    linear_backward_weight(dgate_up, norm_again(config, saved.h2, saved.x_mid, weights.norm2), gradients.gate_up,
                           gradients.gate_up_bias);
    const at::Tensor dh2 = linear_backward_input(dgate_up, weights.gate_up);
    rms_norm_backward(dh2, saved.x_mid, weights.norm2, saved.rstd2, config.norm_weight, dx, gradients.norm2);
}

// Backward through attention's mask and softmax for one block.
class AttentionBackward {
public:
    AttentionBackward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                      const BlockSaved& saved, const at::Tensor& dattended, const Segments& segments)
        : context_(context),
          config_(context.config),
          weights_(weights),
          gradients_(gradients),
          saved_(saved),
          dattended_(dattended),
          segments_(segments) {}

    // d(q/k/v products) [T, (H + 2·Hkv)·D].
    at::Tensor all_rows() const {
        const at::Tensor dqkv = empty_rows({dattended_.size(0), q_size() + 2 * kv_size()}, dattended_.options());
        const at::Tensor dq = head_view(dqkv, 0, config_.heads, config_.head_dim);
        const at::Tensor dk = head_view(dqkv, q_size(), config_.kv_heads, config_.head_dim);
        const at::Tensor dv = head_view(dqkv, q_size() + kv_size(), config_.kv_heads, config_.head_dim);
        if (!config_.qk_norm) {
            attend(dq, dk, dv);
            rope(head_view(dqkv, 0, config_.heads + config_.kv_heads, config_.head_dim), context_.batch.positions, context_.rope,
                 true);
            return dqkv;
        }
        const at::Tensor dq_rotated = at::empty_like(saved_.q);
        attend_keys(dq_rotated, dk, dv);
        query_norm(dq_rotated, context_.batch.positions, dq);
        return dqkv;
    }

    // d(k/v products) [T, 2·Hkv·D]; `dq` receives d(q product) [N, H·D] of the rows `needed`.
    at::Tensor needed_rows(const at::Tensor& needed, at::Tensor* dq) const {
        const at::Tensor dkv = empty_rows({saved_.k.size(0), 2 * kv_size()}, dattended_.options());
        *dq = empty_rows({needed.size(0), q_size()}, dattended_.options());
        const at::Tensor dk = head_view(dkv, 0, config_.kv_heads, config_.head_dim);
        attend_keys(head_view(*dq, 0, config_.heads, config_.head_dim), dk,
                    head_view(dkv, kv_size(), config_.kv_heads, config_.head_dim));
        const at::Tensor positions = at::index_select(context_.batch.positions, 0, needed);
        const at::Tensor dq_rotated = head_view(*dq, 0, config_.heads, config_.head_dim);
        if (!config_.qk_norm) {
            rope(dq_rotated, positions, context_.rope, true);
            return dkv;
        }
        *dq = empty_rows(dq->sizes(), dq->options());
        query_norm(dq_rotated, positions, head_view(*dq, 0, config_.heads, config_.head_dim));
        return dkv;
    }

    std::int64_t q_size() const { return config_.heads * config_.head_dim; }
    std::int64_t kv_size() const { return config_.kv_heads * config_.head_dim; }

private:
    void attend(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv) const {
        attention_backward(dattended_, saved_.q, saved_.k, saved_.v, saved_.attended, saved_.attention, segments_,
                           context_.attention, AttentionGrads{dq, dk, dv});
    }
    // The same with dk taken back through rotation and norm; dq is still of the rotated queries.
    void attend_keys(const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv) const {
        if (!config_.qk_norm) {
            attend(dq, dk, dv);
            rope(dk, context_.batch.positions, context_.rope, true);
            return;
        }
        const at::Tensor dk_rotated = at::empty_like(saved_.k);
        attend(dq, dk_rotated, dv);
        head_norm_backward(context_, dk_rotated, context_.batch.positions, saved_.k_raw, saved_.k_rstd, weights_.k_norm,
                           gradients_.k_norm, dk);
    }
    void query_norm(const at::Tensor& dq_rotated, const at::Tensor& positions, const at::Tensor& dq) const {
        head_norm_backward(context_, dq_rotated, positions, saved_.q_raw, saved_.q_rstd, weights_.q_norm, gradients_.q_norm, dq);
    }

    const BlockContext& context_;
    const ModelConfig& config_;
    const BlockTensors& weights_;
    const BlockTensors& gradients_;
    const BlockSaved& saved_;
    const at::Tensor& dattended_;
    const Segments& segments_;
};

// d(h1) from d(attention's contribution).
at::Tensor attention_part_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                                   const at::Tensor& dcontribution, const at::Tensor& needed, const BlockSaved& saved) {
    const ModelConfig& config = context.config;
    const at::Tensor dpart =
        post_norm_backward(config, dcontribution, saved.part1, saved.post_rstd1, weights.post1, gradients.post1);
    linear_backward_weight(dpart, saved.attended.flatten(1), gradients.o, gradients.o_bias);
    const at::Tensor dattended = linear_backward_input(dpart, weights.o).unflatten(1, {config.heads, config.head_dim});
    const Segments& segments = needed.defined() ? context.needed_segments : context.batch.segments;
    const AttentionBackward attention(context, weights, gradients, saved, dattended, segments);
    const at::Tensor h1 = norm_again(config, saved.h1, saved.x_in, weights.norm1);
    if (!needed.defined()) {
        const at::Tensor dqkv = attention.all_rows();
        linear_backward_weight(dqkv, h1, gradients.qkv, gradients.qkv_bias);
        return linear_backward_input(dqkv, weights.qkv);
    }
    const std::int64_t q_size = attention.q_size();
    const std::int64_t kv_rows = 2 * attention.kv_size();
    at::Tensor dq;
    const at::Tensor dkv = attention.needed_rows(needed, &dq);
    linear_backward_weight(dkv, h1, part(gradients.qkv, q_size, kv_rows), part(gradients.qkv_bias, q_size, kv_rows));
    at::Tensor dh1 = linear_backward_input(dkv, part(weights.qkv, q_size, kv_rows));
    linear_backward_weight(dq, gather_rows(h1, needed), part(gradients.qkv, 0, q_size), part(gradients.qkv_bias, 0, q_size));
    scatter_add_rows(linear_backward_input(dq, part(weights.qkv, 0, q_size)), needed, dh1);
    return dh1;
}

}  // namespace

at::Tensor block_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                          at::Tensor doutput, const at::Tensor& needed, const BlockSaved& saved) {
    mlp_backward(context, weights, gradients, doutput, saved);
    const at::Tensor dh1 = attention_part_backward(context, weights, gradients, doutput, needed, saved);
    const at::Tensor dx = needed.defined() ? spread_rows(doutput, needed, dh1.size(0)) : doutput;
    rms_norm_backward(dh1, saved.x_in, weights.norm1, saved.rstd1, context.config.norm_weight, dx, gradients.norm1);
    return dx;
}

}  // namespace xlrm
