#include "xlrm/model/lm_head.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>

namespace xlrm {
namespace {

template <typename T>
at::Tensor view_of(const std::vector<T>& values, at::ScalarType dtype) {
    return at::from_blob(const_cast<T*>(values.data()), {static_cast<std::int64_t>(values.size())},
                         at::TensorOptions().dtype(dtype));
}

}  // namespace

std::int64_t predicted_count(const Answer& answer) { return std::max(0, answer.length - std::max(answer.completion(), 1)); }

PredictedTokens predicted_tokens(const PackedBatch& batch, const ItemSet& set, std::span<const std::int64_t> answers,
                                 std::size_t every) {
    PredictedTokens out;
    out.counts.assign(answers.size(), 0);
    for (std::size_t text = 0; text < answers.size(); text += every) {
        const Answer& answer = set.answers[static_cast<std::size_t>(answers[text])];
        const auto tokens = set.answer_tokens(answer);
        out.counts[text] = predicted_count(answer);
        for (std::int32_t index = std::max(answer.completion(), 1); index < answer.length; ++index) {
            out.rows.push_back(batch.row(static_cast<std::int64_t>(text), index - 1));
            out.targets.push_back(tokens[static_cast<std::size_t>(index)]);
            out.text.push_back(static_cast<std::int64_t>(text));
        }
    }
    return out;
}

std::vector<double> sum_by_text(const PredictedTokens& predicted, const at::Tensor& log_probs) {
    const at::Tensor wide = log_probs.to(at::kDouble);
    std::vector<double> sums(predicted.counts.size(), 0.0);
    for (std::size_t i = 0; i < predicted.text.size(); ++i)
        sums[static_cast<std::size_t>(predicted.text[i])] += wide.const_data_ptr<double>()[i];
    return sums;
}

CrossEntropyResult lm_loss(const Decoder& decoder, const at::Tensor& rows, const std::vector<std::int32_t>& targets,
                           const std::vector<float>& weights, const LmGradient& gradient,
                           std::vector<TokenStatistics>* statistics) {
    const at::Tensor row_weights = weights.empty() ? at::Tensor() : view_of(weights, at::kFloat);
    return chunked_cross_entropy(rows, lm_weight(decoder), view_of(targets, at::kInt), row_weights, gradient.scale, gradient.rows,
                                 gradient.weight, 512, decoder.config().logit_soft_cap, statistics);
}

}  // namespace xlrm
