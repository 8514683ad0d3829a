#pragma once

#include "reward_batch.hpp"

namespace xlrm {

//! An objective whose loss is a function of the rewards of its items alone.
class ScoreObjective : public Objective {
public:
    explicit ScoreObjective(const RewardHeadOptions& options) : options_(options) {}

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                        at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const RewardBatch batch = pack_rewards(decoder, set, items, options_);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const RewardStates states = reward_forward(decoder, batch, saved.get());
        std::vector<double> dscores(states.scores.size(), 0.0);
        const StepSums sums = loss_of(set, items, batch, states, scale, dscores);
        reward_backward(decoder, batch, states, *saved, reward_head_gradient(decoder, batch, states, dscores, gradient), gradient,
                        ready);
        return sums;
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const RewardBatch batch = pack_rewards(decoder, set, items, options_);
        const RewardStates states = reward_forward(decoder, batch, nullptr);
        std::vector<double> unused(states.scores.size(), 0.0);
        return loss_of(set, items, batch, states, 1.0, unused);
    }

private:
    //! Loss and metrics of the batch; adds scale · d(loss)/d(reward) into `dscores`, one entry a reward, zero on entry.
    virtual StepSums loss_of(const ItemSet& set, std::span<const std::int64_t> items, const RewardBatch& batch,
                             const RewardStates& states, double scale, std::vector<double>& dscores) const = 0;

    RewardHeadOptions options_;
};

}  // namespace xlrm
