#include "xlrm/infer/generator.hpp"

#include <ATen/ops/argmax.h>

#include <algorithm>
#include <cassert>

#include "xlrm/core/error.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/soft_cap.hpp"

namespace xlrm {
namespace {

//! Tokens of a prompt that are computed at once: the memory of a pass is theirs, not the prompt's.
constexpr std::size_t kPieceTokens = 1024;

}  // namespace

at::Tensor lm_products(const Decoder& decoder, const at::Tensor& normed) {
    const Parameters& parameters = decoder.parameters();
    const bool tied = decoder.config().tied_embeddings;
    const at::Tensor weight = parameters.view(tied ? "model.embed_tokens.weight" : "lm_head.weight");
    return linear(normed, weight, {}, decoder.packed_head());
}

at::Tensor lm_logits(const Decoder& decoder, const at::Tensor& normed) {
    const at::Tensor logits = lm_products(decoder, normed);
    const at::Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
    if (decoder.config().logit_soft_cap > 0) soft_cap(wide, decoder.config().logit_soft_cap);
    return wide;
}

at::Tensor continue_text(const Decoder& decoder, KvCache& cache, std::int64_t sequence, std::span<const std::int32_t> tokens) {
    assert(!tokens.empty());
    at::Tensor row;
    for (std::size_t at = 0; at < tokens.size(); at += kPieceTokens) {
        const Continuation piece{sequence, tokens.subspan(at, std::min(kPieceTokens, tokens.size() - at))};
        PackedBatch batch = pack_continuations(cache, std::span(&piece, 1));
        const std::int64_t last[] = {batch.texts.front().last};
        NeededRows needed = needed_rows(last);
        send(decoder.device(), {&batch.tokens, &batch.positions, &needed.rows});
        row = decoder.forward(batch, needed, nullptr, {}, &cache);
    }
    return row;
}

std::vector<std::int32_t> generate_greedy(const Decoder& decoder, const std::vector<std::int32_t>& prompt, std::int64_t max_new,
                                          std::optional<std::int32_t> eos) {
    require(!prompt.empty(), "the prompt has no tokens (there is nothing to continue); give at least BOS");
    KvCache cache(decoder.config(), decoder.parameters().flat.scalar_type(), decoder.device());
    const std::int64_t sequence = cache.add();
    std::vector<std::int32_t> out;
    std::span<const std::int32_t> behind = prompt;
    while (static_cast<std::int64_t>(out.size()) < max_new) {
        const at::Tensor row = continue_text(decoder, cache, sequence, behind);
        out.push_back(static_cast<std::int32_t>(at::argmax(lm_logits(decoder, decoder.final_norm(row)), 1).item<std::int64_t>()));
        if (eos && out.back() == *eos) break;
        behind = std::span(out).last(1);
    }
    return out;
}

}  // namespace xlrm
