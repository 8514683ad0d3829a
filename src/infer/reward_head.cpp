#include "xlrm/infer/reward_head.hpp"

#include <ATen/ops/stack.h>

#include "xlrm/ops/head.hpp"

namespace xlrm {

std::vector<std::int64_t> pooled_rows(const Decoder& decoder, const PackedBatch& batch, const ItemSet& set,
                                      std::span<const std::int64_t> answers, Pooling pooling) {
    std::vector<std::int64_t> rows;
    for (std::size_t text = 0; text < answers.size(); ++text) {
        const auto tokens = set.answer_tokens(set.answers[static_cast<std::size_t>(answers[text])]);
        rows.push_back(batch.row(static_cast<std::int64_t>(text), pooled_index(pooling, tokens, decoder.config().pad)));
    }
    return rows;
}

at::Tensor head_precision(const at::Tensor& rows) { return rows.scalar_type() == at::kBFloat16 ? rows.to(at::kFloat) : rows; }

at::Tensor reward_scores(const Decoder& decoder, const at::Tensor& normed, bool rounded) {
    const at::Tensor head = decoder.parameters().view("score.weight");
    std::vector<at::Tensor> labels;
    for (std::int64_t label = 0; label < head.size(0); ++label)
        labels.push_back(reward_head(normed, head.select(0, label), rounded));
    return at::stack(labels, 1);
}

}  // namespace xlrm
