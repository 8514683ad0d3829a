#include "xlrm/infer/generator.hpp"

#include <ATen/ops/argmax.h>

#include "xlrm/core/error.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/soft_cap.hpp"

namespace xlrm {

at::Tensor lm_logits(const Decoder& decoder, const at::Tensor& normed) {
    const Parameters& parameters = decoder.parameters();
    const bool tied = decoder.config().tied_embeddings;
    const at::Tensor logits = linear(normed, parameters.view(tied ? "model.embed_tokens.weight" : "lm_head.weight"));
    const at::Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
    if (decoder.config().logit_soft_cap > 0) soft_cap(wide, decoder.config().logit_soft_cap);
    return wide;
}

std::vector<std::int32_t> generate_greedy(const Decoder& decoder, const std::vector<std::int32_t>& prompt, std::int64_t max_new,
                                          std::optional<std::int32_t> eos) {
    require(!prompt.empty(), "the prompt has no tokens (there is nothing to continue); give at least BOS");
    ItemSet set;
    set.tokens = prompt;
    std::vector<std::int32_t> out;
    const std::int64_t only[] = {0};
    while (static_cast<std::int64_t>(out.size()) < max_new) {
        const auto length = static_cast<std::int32_t>(set.tokens.size());
        set.answers = {{0, length, 0}};
        const std::int64_t last[] = {length - 1};
        const at::Tensor rows = decoder.forward(pack(set, only), needed_rows(last).rows);
        const auto next =
            static_cast<std::int32_t>(at::argmax(lm_logits(decoder, decoder.final_norm(rows)), 1).item<std::int64_t>());
        out.push_back(next);
        if (eos && next == *eos) break;
        set.tokens.push_back(next);
    }
    return out;
}

}  // namespace xlrm
