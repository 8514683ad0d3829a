#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/model/decoder.hpp"
#include "xlrm/ops/cross_entropy.hpp"

namespace xlrm {

//! A target that cross entropy leaves out.
inline constexpr std::int32_t kNotCounted = -100;

//! [V, d] of the LM head within a flat buffer: a matrix of its own, or the embedding where they are tied.
inline at::Tensor lm_weight_of(const Decoder& decoder, const at::Tensor& buffer) {
    const Parameters& parameters = decoder.parameters();
    return parameters.view_of(buffer,
                              parameters.layout.contains("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight");
}

inline at::Tensor lm_weight(const Decoder& decoder) { return lm_weight_of(decoder, decoder.parameters().flat); }

//! Tokens of answers that an LM loss predicts: those of the completion (Answer::completion), never the first of the text.
struct PredictedTokens {
    std::vector<std::int64_t> rows;    //!< row of the batch that predicts
    std::vector<std::int64_t> text;    //!< which text of the batch
    std::vector<std::int64_t> counts;  //!< of each text
    at::Tensor targets;                //!< [rows] int32: token predicted; on the host until it is sent
    at::Tensor texts;                  //!< [rows] int64: `text`; likewise
};
std::int64_t predicted_count(const Answer& answer);
//! `every`: of texts 0, every, 2·every … alone; `answers` are the texts of `batch`.
PredictedTokens predicted_tokens(const PackedBatch& batch, const ItemSet& set, std::span<const std::int64_t> answers,
                                 std::size_t every = 1);

//! Sums over each text's predicted tokens [texts], fp64; `log_probs` [predicted tokens].
at::Tensor sum_by_text(const PredictedTokens& predicted, const at::Tensor& log_probs);

//! Where the gradient of an LM loss goes; undefined tensors: no gradient.
struct LmGradient {
    double scale = 1.0;
    at::Tensor rows;    //!< [N, d], dtype of the rows: written
    at::Tensor weight;  //!< [V, d]: added to
};

//! The head's cross entropy at normed rows [N, d] of the compute dtype; `weights` (fp32 [N]) may be undefined.
CrossEntropyResult lm_loss(const Decoder& decoder, const at::Tensor& rows, const at::Tensor& targets, const at::Tensor& weights,
                           const LmGradient& gradient, bool statistics = false);

}  // namespace xlrm
