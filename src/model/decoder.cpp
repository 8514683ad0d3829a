#include "xlrm/model/decoder.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/zeros_like.h>

#include <bit>
#include <cassert>
#include <cmath>

#include "block.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/embedding.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {

struct DecoderSaved {
    Keep keep = Keep::full;
    std::vector<BlockSaved> blocks;
    NeededRows needed;
};

std::vector<Range> gradient_order(const ModelConfig& config, const ParameterLayout& layout) {
    std::vector<Range> order{{layout.find("model.norm.weight").offset, layout.total}};
    for (std::int64_t l = config.layers - 1; l >= 0; --l) order.push_back(layout.layer_range(l));
    const ParameterInfo& embedding = layout.find("model.embed_tokens.weight");
    order.push_back({embedding.offset, embedding.offset + embedding.elements});
    return order;
}

void DecoderSavedDeleter::operator()(DecoderSaved* saved) const { delete saved; }

DecoderSavedPtr make_decoder_saved(Keep keep) {
    DecoderSavedPtr saved(new DecoderSaved);
    saved->keep = keep;
    return saved;
}

// The rotary table of the longest text so far, and the views of the weights, which stay where they are while their content
// changes.
struct Decoder::Cache {
    RopeTable rope;
    std::int64_t positions = 0;
    std::vector<BlockTensors> blocks;
    at::Tensor embedding, norm;
    std::shared_ptr<const PackedWeight> head;

    const RopeTable& rope_for(const ModelConfig& config, const Segments& segments, const at::Tensor& weights) {
        std::int64_t longest = 0;
        for (const Segment& segment : segments) longest = std::max(longest, segment.key_count());
        if (longest > positions) {
            positions = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(longest)));
            rope = make_rope_table(config.rope, positions, config.head_dim, weights.scalar_type(), weights.device());
        }
        return rope;
    }
};

namespace {

BlockContext make_context(const ModelConfig& config, const PackedBatch& batch, const RopeTable& rope) {
    AttentionConfig attention;
    attention.scale = config.attention_scale;
    attention.soft_cap = config.attention_soft_cap;
    return {config, batch, rope, attention, {}, nullptr};
}

double embedding_scale(const ModelConfig& config) {
    return config.scaled_embeddings ? std::sqrt(static_cast<double>(config.hidden)) : 1.0;
}

// residual += delta (undefined: nothing to add), then its norm. What backward keeps (`keep`) must not change later.
RmsNormResult add_and_norm(const ModelConfig& config, at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight,
                           bool keep) {
    if (delta.defined()) return add_rms_norm(residual, delta, weight, config.norm_eps, config.norm_weight, keep);
    return rms_norm(residual, weight, config.norm_eps, config.norm_weight);
}

}  // namespace

Decoder::Decoder(const ModelConfig& config, const Parameters& parameters)
    : config_(config), parameters_(parameters), cache_(std::make_unique<Cache>()) {
    cache_->embedding = parameters.view("model.embed_tokens.weight");
    cache_->norm = parameters.view("model.norm.weight");
    for (std::int64_t l = 0; l < config.layers; ++l) {
        cache_->blocks.push_back(block_tensors(parameters, config, parameters.flat, l));
    }
}

Decoder::~Decoder() = default;

void Decoder::pack_weights() {
    for (BlockTensors& block : cache_->blocks) {
        block.packed_qkv = pack_weight(block.qkv);
        block.packed_o = pack_weight(block.o);
        block.packed_gate_up = pack_weight(block.gate_up);
        block.packed_down = pack_weight(block.down);
    }
    cache_->head = pack_weight(config_.tied_embeddings ? cache_->embedding : parameters_.view("lm_head.weight"));
}

const PackedWeight* Decoder::packed_head() const { return cache_->head.get(); }

at::Tensor Decoder::forward(const PackedBatch& batch, const NeededRows& needed, DecoderSaved* saved, const LayerHook& hook,
                            KvCache* cache) const {
    const StageScope scope("forward");
    assert(saved == nullptr || cache == nullptr);
    const RopeTable& rope = cache_->rope_for(config_, batch.segments, parameters_.flat);
    BlockContext context = make_context(config_, batch, rope);
    const bool keep = saved != nullptr;
    const bool keep_all = keep && saved->keep == Keep::full;
    const bool keep_inputs = keep && saved->keep == Keep::inputs;
    if (keep) {
        saved->blocks.assign(static_cast<std::size_t>(config_.layers), {});
        saved->needed = needed;
    }
    // Where texts go on by a token each, all rows are needed, and there is nothing to choose.
    const bool some = needed.defined() && (cache == nullptr || needed.rows.size(0) < batch.physical_tokens());
    if (some) context.needed_segments = segments_of(batch.segments, needed.list);
    at::Tensor residual = embedding(batch.tokens, cache_->embedding, embedding_scale(config_));
    at::Tensor delta;
    for (std::int64_t l = 0; l < config_.layers; ++l) {
        const BlockTensors& weights = cache_->blocks[static_cast<std::size_t>(l)];
        BlockSaved* block = keep ? &saved->blocks[static_cast<std::size_t>(l)] : nullptr;
        const at::Tensor rows = l + 1 == config_.layers && some ? needed.rows : at::Tensor();
        context.attention.window = config_.windows[static_cast<std::size_t>(l)];
        context.cache = cache != nullptr ? &cache->layer(l) : nullptr;

        const RmsNormResult norm1 = add_and_norm(config_, residual, delta, weights.norm1, keep);
        if (hook) hook(l, residual);
        if (block) block->x_in = residual, block->rstd1 = norm1.rstd;
        if (keep_inputs) block = nullptr;
        if (keep_all) block->h1 = norm1.y;
        delta = attention_forward(context, weights, norm1.y, rows, block);

        if (rows.defined()) residual = gather_rows(residual, rows);
        const RmsNormResult norm2 = add_and_norm(config_, residual, delta, weights.norm2, keep);
        if (block) block->x_mid = residual, block->rstd2 = norm2.rstd;
        if (keep_all) block->h2 = norm2.y;
        delta = mlp_forward(context, weights, norm2.y, block, keep_all);
    }
    residual = at::add(residual, delta);
    if (hook) hook(config_.layers, residual);
    return residual;
}

at::Tensor Decoder::final_norm(const at::Tensor& rows, at::Tensor* rstd) const {
    const RmsNormResult result = rms_norm(rows, cache_->norm.to(rows.scalar_type()), config_.norm_eps, config_.norm_weight);
    if (rstd != nullptr) *rstd = result.rstd;
    return result.y;
}

at::Tensor Decoder::final_norm_backward(const at::Tensor& dnormed, const at::Tensor& rows, const at::Tensor& rstd,
                                        at::Tensor gradient) const {
    at::Tensor drows = at::zeros_like(rows);
    rms_norm_backward(dnormed, rows, cache_->norm.to(rows.scalar_type()), rstd, config_.norm_weight, drows,
                      parameters_.view_of(gradient, "model.norm.weight"));
    return drows;
}

void Decoder::backward(const PackedBatch& batch, DecoderSaved& saved, const at::Tensor& dresidual, at::Tensor gradient,
                       const GradientReady& ready) const {
    const StageScope scope("backward");
    assert(static_cast<std::int64_t>(saved.blocks.size()) == config_.layers);
    BlockContext context = make_context(config_, batch, cache_->rope);
    if (saved.needed.defined()) context.needed_segments = segments_of(batch.segments, saved.needed.list);
    const std::vector<Range> order = gradient_order(config_, parameters_.layout);
    auto next = order.begin();
    const auto report = [&] {
        if (ready) ready(next->begin, next->size());
        ++next;
    };
    report();
    at::Tensor dx = dresidual.clone();
    for (std::int64_t l = config_.layers - 1; l >= 0; --l) {
        context.attention.window = config_.windows[static_cast<std::size_t>(l)];
        const BlockTensors gradients = block_tensors(parameters_, config_, gradient, l);
        BlockSaved block = std::move(saved.blocks[static_cast<std::size_t>(l)]);
        const at::Tensor rows = l + 1 == config_.layers ? saved.needed.rows : at::Tensor();
        if (saved.keep == Keep::inputs) block_again(context, cache_->blocks[static_cast<std::size_t>(l)], rows, block);
        dx = block_backward(context, cache_->blocks[static_cast<std::size_t>(l)], gradients, dx, rows, block);
        report();
    }
    // transformers makes the embedding with padding_idx: the pad token's row learns nothing, also where the pad token is the end
    // token.
    embedding_backward(dx, batch.tokens, parameters_.view_of(gradient, "model.embed_tokens.weight"), embedding_scale(config_),
                       config_.pad.value_or(-1));
    report();
    saved.blocks.clear();
    saved.needed = {};
}

}  // namespace xlrm
