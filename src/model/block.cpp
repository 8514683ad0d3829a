#include "block.hpp"

#include <ATen/ops/index_select.h>

#include <cassert>

#include "block_views.hpp"
#include "xlrm/ops/gated_activation.hpp"
#include "xlrm/ops/gated_linear.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

// The norm of x, where the family has one; `raw` and `rstd` receive what its backward needs.
at::Tensor norm_if(const ModelConfig& config, const at::Tensor& x, const at::Tensor& weight, at::Tensor* raw, at::Tensor* rstd) {
    if (!weight.defined()) return x;
    const RmsNormResult result = rms_norm(x, weight, config.norm_eps, config.norm_weight);
    if (raw != nullptr) *raw = x, *rstd = result.rstd;
    return result.y;
}

struct Heads {
    at::Tensor q, k, v;
};

// One merged product for every row.
Heads project(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1, BlockSaved* saved) {
    const ModelConfig& config = context.config;
    const std::int64_t q_size = config.heads * config.head_dim;
    const std::int64_t kv_size = config.kv_heads * config.head_dim;
    const at::Tensor qkv = linear(h1, weights.qkv, weights.qkv_bias, weights.packed_qkv.get());
    Heads heads{head_view(qkv, 0, config.heads, config.head_dim), head_view(qkv, q_size, config.kv_heads, config.head_dim),
                head_view(qkv, q_size + kv_size, config.kv_heads, config.head_dim)};
    if (!config.qk_norm) {
        rope(head_view(qkv, 0, config.heads + config.kv_heads, config.head_dim), context.batch.positions, context.rope);
        return heads;
    }
    heads.q = norm_if(config, heads.q, weights.q_norm, saved ? &saved->q_raw : nullptr, saved ? &saved->q_rstd : nullptr);
    heads.k = norm_if(config, heads.k, weights.k_norm, saved ? &saved->k_raw : nullptr, saved ? &saved->k_rstd : nullptr);
    rope(heads.q, context.batch.positions, context.rope);
    rope(heads.k, context.batch.positions, context.rope);
    return heads;
}

// Keys and values for every row, and queries for the rows `needed` alone.
Heads project_needed(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1, const at::Tensor& needed,
                     BlockSaved* saved) {
    const ModelConfig& config = context.config;
    const std::int64_t q_size = config.heads * config.head_dim;
    const std::int64_t kv_size = config.kv_heads * config.head_dim;
    const at::Tensor kv = linear(h1, part(weights.qkv, q_size, 2 * kv_size), part(weights.qkv_bias, q_size, 2 * kv_size));
    const at::Tensor k = norm_if(config, head_view(kv, 0, config.kv_heads, config.head_dim), weights.k_norm,
                                 saved ? &saved->k_raw : nullptr, saved ? &saved->k_rstd : nullptr);
    rope(k, context.batch.positions, context.rope);
    const at::Tensor rows = linear(gather_rows(h1, needed), part(weights.qkv, 0, q_size), part(weights.qkv_bias, 0, q_size));
    const at::Tensor q = norm_if(config, head_view(rows, 0, config.heads, config.head_dim), weights.q_norm,
                                 saved ? &saved->q_raw : nullptr, saved ? &saved->q_rstd : nullptr);
    rope(q, at::index_select(context.batch.positions, 0, needed), context.rope);
    return {q, k, head_view(kv, kv_size, config.kv_heads, config.head_dim)};
}

at::Tensor gate(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h2, BlockSaved* saved,
                bool keep_all) {
    const Activation activation = context.config.activation;
    if (weights.packed_gate_up == nullptr || saved != nullptr)
        return gated_linear(h2, weights.gate_up, weights.gate_up_bias, activation, saved != nullptr ? &saved->gated : nullptr,
                            keep_all);
    return gated_activation(linear(h2, weights.gate_up, weights.gate_up_bias, weights.packed_gate_up.get()), activation);
}

// The keys of the batch's own tokens go to the sequences that these continue.
void append_keys(const BlockContext& context, const Heads& heads) {
    std::vector<KvPages::Rows> rows;
    for (const Segment& segment : context.batch.segments) {
        if (!segment.cached()) continue;
        const std::int64_t sequence = segment.keys.front().sequence;
        assert(context.cache->length(sequence) == segment.queries.front().position);
        for (const QueryRun& run : segment.queries) rows.push_back({sequence, run.begin, run.length});
    }
    context.cache->append(rows, heads.k, heads.v);
}

}  // namespace

BlockTensors block_tensors(const Parameters& parameters, const ModelConfig& config, const at::Tensor& buffer,
                           std::int64_t layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const auto view = [&](const std::string& name) { return parameters.view_of(buffer, prefix + name); };
    const auto merged = [&](const std::string& first, const std::string& last) {
        return parameters.merged(buffer, prefix + first, prefix + last);
    };
    BlockTensors out;
    out.norm1 = view("input_layernorm.weight");
    out.qkv = merged("self_attn.q_proj.weight", "self_attn.v_proj.weight");
    if (config.qkv_bias) out.qkv_bias = merged("self_attn.q_proj.bias", "self_attn.v_proj.bias");
    if (config.qk_norm) out.q_norm = view("self_attn.q_norm.weight"), out.k_norm = view("self_attn.k_norm.weight");
    out.o = view("self_attn.o_proj.weight");
    if (config.output_bias) out.o_bias = view("self_attn.o_proj.bias");
    // Gemma-2 gives the name of the others' second norm to that of attention's contribution.
    if (config.post_norms) out.post1 = view("post_attention_layernorm.weight");
    out.norm2 = view(config.post_norms ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight");
    out.gate_up = merged("mlp.gate_proj.weight", "mlp.up_proj.weight");
    if (config.mlp_bias) out.gate_up_bias = merged("mlp.gate_proj.bias", "mlp.up_proj.bias");
    out.down = view("mlp.down_proj.weight");
    if (config.mlp_bias) out.down_bias = view("mlp.down_proj.bias");
    if (config.post_norms) out.post2 = view("post_feedforward_layernorm.weight");
    return out;
}

at::Tensor attention_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1,
                             const at::Tensor& needed, BlockSaved* saved) {
    const Heads heads =
        needed.defined() ? project_needed(context, weights, h1, needed, saved) : project(context, weights, h1, saved);
    if (context.cache != nullptr) append_keys(context, heads);
    AttentionSaved lse;
    const Segments& segments = needed.defined() ? context.needed_segments : context.batch.segments;
    const at::Tensor attended =
        attention(heads.q, heads.k, heads.v, segments, context.attention, saved ? &lse : nullptr, context.cache);
    if (saved != nullptr) {
        saved->q = heads.q;
        saved->k = heads.k;
        saved->v = heads.v;
        saved->attended = attended;
        saved->attention = lse;
    }
    const at::Tensor out = linear(attended.flatten(1), weights.o, weights.o_bias, weights.packed_o.get());
    return norm_if(context.config, out, weights.post1, saved ? &saved->part1 : nullptr, saved ? &saved->post_rstd1 : nullptr);
}

at::Tensor mlp_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h2, BlockSaved* saved,
                       bool keep_all) {
    const at::Tensor activated = gate(context, weights, h2, saved, keep_all);
    const at::Tensor out = linear(activated, weights.down, weights.down_bias, weights.packed_down.get());
    return norm_if(context.config, out, weights.post2, saved ? &saved->part2 : nullptr, saved ? &saved->post_rstd2 : nullptr);
}

void block_again(const BlockContext& context, const BlockTensors& weights, const at::Tensor& needed, BlockSaved& saved) {
    const ModelConfig& config = context.config;
    const RmsNormResult norm1 = rms_norm(saved.x_in, weights.norm1, config.norm_eps, config.norm_weight);
    saved.h1 = norm1.y, saved.rstd1 = norm1.rstd;
    const at::Tensor delta = attention_forward(context, weights, norm1.y, needed, &saved);
    saved.x_mid = needed.defined() ? gather_rows(saved.x_in, needed) : saved.x_in;
    const RmsNormResult norm2 = add_rms_norm(saved.x_mid, delta, weights.norm2, config.norm_eps, config.norm_weight, true);
    saved.h2 = norm2.y, saved.rstd2 = norm2.rstd;
    mlp_forward(context, weights, norm2.y, &saved, true);
}

}  // namespace xlrm
