#pragma once

#include <functional>

#include "xlrm/train/objective.hpp"

namespace xlrm {

//! The texts of one micro-batch whose pooled tokens a reward head reads.
struct RewardBatch {
    const ItemSet* set = nullptr;
    std::vector<std::int64_t> items;
    PackedBatch batch;
    std::vector<std::int64_t> answers;  //!< of all items, in order: the batch's texts
    NeededRows needed;
    at::Tensor pooled;                 //!< [texts] int64, rows among those needed
    at::Tensor others;                 //!< [extra rows] int64, likewise
    std::vector<std::int32_t> counts;  //!< answers of each item
};

//! Rows of the batch that are needed besides the pooled ones, and tensors on the host that are sent along with the batch.
struct ExtraRows {
    std::function<std::vector<std::int64_t>(const RewardBatch&)> rows;
    std::vector<at::Tensor*> tensors;
};

RewardBatch pack_rewards(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items,
                         const RewardHeadOptions& options, const ExtraRows& extra = {});

//! What the forward pass gives at the needed rows. With bf16 compute the final norm and the reward head work in fp32, as they do
//! when the model is evaluated.
struct RewardStates {
    at::Tensor residual, rstd, normed;  //!< [needed, d], [needed], [needed, d]; fp32 (fp64)
    at::Tensor pooled;                  //!< [texts, d] of normed
    at::Tensor scores;                  //!< [texts, outputs] fp64
};
RewardStates reward_forward(const Decoder& decoder, const RewardBatch& batch, DecoderSaved* saved);

//! d(normed) [needed, d] from d(scores) [texts, outputs] fp64; adds the head's gradient into the flat `gradient`.
at::Tensor reward_head_gradient(const Decoder& decoder, const RewardBatch& batch, const RewardStates& states,
                                const at::Tensor& dscores, const at::Tensor& gradient);
//! The rest of the way back.
void reward_backward(const Decoder& decoder, const RewardBatch& batch, const RewardStates& states, DecoderSaved& saved,
                     const at::Tensor& dnormed, const at::Tensor& gradient, const Decoder::GradientReady& ready);

//! Tokens, and the number of items, of the batch.
void count_batch(StepSums& sums, const RewardBatch& batch);
//! Smallest, largest and sum of the rewards.
void count_rewards(StepSums& sums, std::span<const double> rewards);

}  // namespace xlrm
