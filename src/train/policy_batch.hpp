#pragma once

#include "xlrm/model/lm_head.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {

//! The texts of one micro-batch whose responses an LM head predicts.
struct PolicyBatch {
    PackedBatch batch;
    std::int64_t items = 0;
    std::vector<std::int64_t> answers;
    PredictedTokens predicted;
    NeededRows needed;
};
//! On the decoder's device; kept until the step's sums are read.
std::shared_ptr<const PolicyBatch> pack_policy(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items,
                                               bool share_prefix);

//! The forward pass at the needed rows, in the compute dtype, as transformers computes a causal LM.
struct PolicyStates {
    at::Tensor residual, rstd, normed;  //!< [needed, d], [needed], [needed, d]
    at::Tensor rows;                    //!< [predicted, d] of normed
};
PolicyStates policy_forward(const Decoder& decoder, const PolicyBatch& batch, DecoderSaved* saved);

//! The way back from d(rows). The LM head's own gradient must be in `gradient` before.
void policy_backward(const Decoder& decoder, const PolicyBatch& batch, const PolicyStates& states, DecoderSaved& saved,
                     const at::Tensor& drows, const at::Tensor& gradient, const Decoder::GradientReady& ready);

void count_batch(StepSums& sums, const PolicyBatch& batch);

//! The rows of CrossEntropyResult::statistics that were read.
std::span<const TokenStatistics> token_statistics(std::span<const double> values);

//! Throws Error unless every answer has a token to predict.
void require_responses(const ItemSet& set, const std::string& objective, std::int32_t answers, const std::string& rows);

}  // namespace xlrm
