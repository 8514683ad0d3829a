#include "block.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/zeros.h>

#include "xlrm/ops/gated_activation.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

// [T, heads·D] columns [from, from + heads·D) of a merged product, seen as [T, heads, D].
at::Tensor head_view(const at::Tensor& merged, std::int64_t from, std::int64_t heads, std::int64_t head_dim) {
    return merged.narrow(1, from, heads * head_dim).unflatten(1, {heads, head_dim});
}

at::Tensor part(const at::Tensor& tensor, std::int64_t begin, std::int64_t rows) {
    return tensor.defined() ? tensor.narrow(0, begin, rows) : tensor;
}

// [N, …] rows at `index` of an otherwise zero tensor of `total` rows.
at::Tensor spread_rows(const at::Tensor& rows, const at::Tensor& index, std::int64_t total) {
    std::vector<std::int64_t> shape(rows.sizes().begin(), rows.sizes().end());
    shape[0] = total;
    at::Tensor out = at::zeros(shape, rows.options());
    out.index_copy_(0, index, rows);
    return out;
}

struct Heads {
    at::Tensor q, k, v;
};

// One merged product for every row; with `needed`, keys and values for every row and queries for those alone.
Heads project(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1, const at::Tensor& needed) {
    const ModelConfig& config = context.config;
    const RopeTable& table = context.rope;
    const PackedBatch& batch = context.batch;
    const std::int64_t q_size = config.heads * config.head_dim;
    const std::int64_t kv_size = config.kv_heads * config.head_dim;
    if (!needed.defined()) {
        const at::Tensor qkv = linear(h1, weights.qkv, weights.qkv_bias);
        rope(head_view(qkv, 0, config.heads + config.kv_heads, config.head_dim), batch.positions, table);
        return {head_view(qkv, 0, config.heads, config.head_dim), head_view(qkv, q_size, config.kv_heads, config.head_dim),
                head_view(qkv, q_size + kv_size, config.kv_heads, config.head_dim)};
    }
    const at::Tensor kv = linear(h1, part(weights.qkv, q_size, 2 * kv_size), part(weights.qkv_bias, q_size, 2 * kv_size));
    const at::Tensor k = head_view(kv, 0, config.kv_heads, config.head_dim);
    rope(k, batch.positions, table);
    const at::Tensor rows = linear(gather_rows(h1, needed), part(weights.qkv, 0, q_size), part(weights.qkv_bias, 0, q_size));
    const at::Tensor q = head_view(rows, 0, config.heads, config.head_dim);
    rope(q, at::index_select(batch.positions, 0, needed), table);
    return {spread_rows(q, needed, h1.size(0)), k, head_view(kv, kv_size, config.kv_heads, config.head_dim)};
}

at::Tensor norm_again(const at::Tensor& kept, const at::Tensor& x, const at::Tensor& weight, double eps) {
    return kept.defined() ? kept : rms_norm(x, weight, eps).y;
}

// Adds the MLP's part of d(x_mid) to `dx`, which is d(output) on entry.
void mlp_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients, const at::Tensor& dx,
                  const BlockSaved& saved) {
    const at::Tensor activated =
        saved.activated.defined() ? saved.activated : gated_activation(saved.gate_up, context.config.activation);
    linear_backward_weight(dx, activated, gradients.down, gradients.down_bias);
    const at::Tensor dactivated = linear_backward_input(dx, weights.down);
    const at::Tensor dgate_up = gated_activation_backward(dactivated, saved.gate_up, context.config.activation);
    linear_backward_weight(dgate_up, norm_again(saved.h2, saved.x_mid, weights.norm2, context.config.norm_eps), gradients.gate_up,
                           gradients.gate_up_bias);
    const at::Tensor dh2 = linear_backward_input(dgate_up, weights.gate_up);
    rms_norm_backward(dh2, saved.x_mid, weights.norm2, saved.rstd2, NormWeight::plain, dx, gradients.norm2);
}

// d(h1) from d(attention's contribution).
at::Tensor attention_part_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                                   const at::Tensor& dcontribution, const at::Tensor& needed, const BlockSaved& saved) {
    const ModelConfig& config = context.config;
    const RopeTable& table = context.rope;
    const PackedBatch& batch = context.batch;
    const std::int64_t q_size = config.heads * config.head_dim;
    const std::int64_t kv_size = config.kv_heads * config.head_dim;
    const at::Tensor flat = saved.attended.flatten(1);
    linear_backward_weight(dcontribution, needed.defined() ? gather_rows(flat, needed) : flat, gradients.o, gradients.o_bias);
    at::Tensor dattended = linear_backward_input(dcontribution, weights.o).unflatten(1, {config.heads, config.head_dim});
    if (needed.defined()) dattended = spread_rows(dattended, needed, flat.size(0));
    // Keys' and values' gradients are columns of `merged`, from `from` on.
    const auto attend = [&](const at::Tensor& dq, const at::Tensor& merged, std::int64_t from) {
        const AttentionGrads grads{dq, head_view(merged, from, config.kv_heads, config.head_dim),
                                   head_view(merged, from + kv_size, config.kv_heads, config.head_dim)};
        attention_backward(dattended, saved.q, saved.k, saved.v, saved.attended, saved.attention, context.batch.segments,
                           context.attention, grads);
    };
    const at::Tensor h1 = norm_again(saved.h1, saved.x_in, weights.norm1, config.norm_eps);
    if (!needed.defined()) {
        const at::Tensor dqkv = empty_rows({flat.size(0), q_size + 2 * kv_size}, flat.options());
        attend(head_view(dqkv, 0, config.heads, config.head_dim), dqkv, q_size);
        rope(head_view(dqkv, 0, config.heads + config.kv_heads, config.head_dim), batch.positions, table, true);
        linear_backward_weight(dqkv, h1, gradients.qkv, gradients.qkv_bias);
        return linear_backward_input(dqkv, weights.qkv);
    }
    const at::Tensor dkv = empty_rows({flat.size(0), 2 * kv_size}, flat.options());
    const at::Tensor dq_all = at::empty_like(saved.q);
    attend(dq_all, dkv, 0);
    rope(head_view(dkv, 0, config.kv_heads, config.head_dim), batch.positions, table, true);
    linear_backward_weight(dkv, h1, part(gradients.qkv, q_size, 2 * kv_size), part(gradients.qkv_bias, q_size, 2 * kv_size));
    at::Tensor dh1 = linear_backward_input(dkv, part(weights.qkv, q_size, 2 * kv_size));
    const at::Tensor dq = gather_rows(dq_all.flatten(1), needed);
    rope(head_view(dq, 0, config.heads, config.head_dim), at::index_select(batch.positions, 0, needed), table, true);
    linear_backward_weight(dq, gather_rows(h1, needed), part(gradients.qkv, 0, q_size), part(gradients.qkv_bias, 0, q_size));
    scatter_add_rows(linear_backward_input(dq, part(weights.qkv, 0, q_size)), needed, dh1);
    return dh1;
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
    out.o = view("self_attn.o_proj.weight");
    if (config.output_bias) out.o_bias = view("self_attn.o_proj.bias");
    out.norm2 = view("post_attention_layernorm.weight");
    out.gate_up = merged("mlp.gate_proj.weight", "mlp.up_proj.weight");
    if (config.mlp_bias) out.gate_up_bias = merged("mlp.gate_proj.bias", "mlp.up_proj.bias");
    out.down = view("mlp.down_proj.weight");
    if (config.mlp_bias) out.down_bias = view("mlp.down_proj.bias");
    return out;
}

at::Tensor attention_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h1,
                             const at::Tensor& needed, BlockSaved* saved) {
    const Heads heads = project(context, weights, h1, needed);
    AttentionSaved lse;
    const at::Tensor attended =
        attention(heads.q, heads.k, heads.v, context.batch.segments, context.attention, saved ? &lse : nullptr);
    if (saved != nullptr) {
        saved->q = heads.q;
        saved->k = heads.k;
        saved->v = heads.v;
        saved->attended = attended;
        saved->attention = lse;
    }
    const at::Tensor flat = attended.flatten(1);
    return linear(needed.defined() ? gather_rows(flat, needed) : flat, weights.o, weights.o_bias);
}

at::Tensor mlp_forward(const BlockContext& context, const BlockTensors& weights, const at::Tensor& h2, BlockSaved* saved,
                       bool keep_all) {
    const at::Tensor gate_up = linear(h2, weights.gate_up, weights.gate_up_bias);
    const at::Tensor activated = gated_activation(gate_up, context.config.activation);
    if (saved != nullptr) {
        saved->gate_up = gate_up;
        if (keep_all) saved->activated = activated;
    }
    return linear(activated, weights.down, weights.down_bias);
}

at::Tensor block_backward(const BlockContext& context, const BlockTensors& weights, const BlockTensors& gradients,
                          at::Tensor doutput, const at::Tensor& needed, const BlockSaved& saved) {
    mlp_backward(context, weights, gradients, doutput, saved);
    const at::Tensor dh1 = attention_part_backward(context, weights, gradients, doutput, needed, saved);
    const at::Tensor dx = needed.defined() ? spread_rows(doutput, needed, dh1.size(0)) : doutput;
    rms_norm_backward(dh1, saved.x_in, weights.norm1, saved.rstd1, NormWeight::plain, dx, gradients.norm1);
    return dx;
}

}  // namespace xlrm
