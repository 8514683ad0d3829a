#include "xlrm/model/lm_head.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "xlrm/ops/rows.hpp"

namespace xlrm {

std::int64_t predicted_count(const Answer& answer) { return std::max(0, answer.length - std::max(answer.completion(), 1)); }

PredictedTokens predicted_tokens(const PackedBatch& batch, const ItemSet& set, std::span<const std::int64_t> answers,
                                 std::size_t every) {
    PredictedTokens out;
    out.counts.assign(answers.size(), 0);
    std::vector<std::int32_t> targets;
    for (std::size_t text = 0; text < answers.size(); text += every) {
        const Answer& answer = set.answers[static_cast<std::size_t>(answers[text])];
        const auto tokens = set.answer_tokens(answer);
        out.counts[text] = predicted_count(answer);
        for (std::int32_t index = std::max(answer.completion(), 1); index < answer.length; ++index) {
            out.rows.push_back(batch.row(static_cast<std::int64_t>(text), index - 1));
            targets.push_back(tokens[static_cast<std::size_t>(index)]);
            out.text.push_back(static_cast<std::int64_t>(text));
        }
    }
    out.targets = at::empty({std::ssize(targets)}, at::TensorOptions().dtype(at::kInt));
    std::ranges::copy(targets, out.targets.data_ptr<std::int32_t>());
    out.texts = at::empty({std::ssize(out.text)}, at::TensorOptions().dtype(at::kLong));
    std::ranges::copy(out.text, out.texts.data_ptr<std::int64_t>());
    return out;
}

at::Tensor sum_by_text(const PredictedTokens& predicted, const at::Tensor& log_probs) {
    const at::Tensor sums = at::zeros({std::ssize(predicted.counts), 1}, log_probs.options().dtype(at::kDouble));
    scatter_add_rows(log_probs.to(at::kDouble).unsqueeze(1), predicted.texts, sums);
    return sums.squeeze(1);
}

CrossEntropyResult lm_loss(const Decoder& decoder, const at::Tensor& rows, const at::Tensor& targets, const at::Tensor& weights,
                           const LmGradient& gradient, bool statistics) {
    return chunked_cross_entropy(rows, lm_weight(decoder), targets, weights, gradient.scale, gradient.rows, gradient.weight, 512,
                                 decoder.config().logit_soft_cap, statistics);
}

}  // namespace xlrm
