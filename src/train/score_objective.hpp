#pragma once

#include "reward_batch.hpp"

namespace xlrm {

//! An objective whose loss is a function of the rewards of its items, alone or with another loss beside it.
class ScoreObjective : public Objective {
public:
    explicit ScoreObjective(const RewardHeadOptions& options) : options_(options) {}

    PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                           at::Tensor gradient, const Decoder::GradientReady& ready) override;
    PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override;

protected:
    //! scale · d(loss)/d(reward) [texts, outputs] fp64, on the device of the rewards.
    at::Tensor slopes(const RewardBatch& batch, const at::Tensor& scores, double scale) const;

    //! Loss and metrics of the batch, from its rewards [texts · outputs], a text's side by side; adds scale · d(loss)/d(reward)
    //! into `dscores`, one entry a reward, zero on entry, unless that is empty.
    virtual StepSums loss_of(const RewardBatch& batch, std::span<const double> scores, double scale,
                             std::span<double> dscores) const = 0;
    //! The same slopes where the rewards are not on the host.
    virtual at::Tensor slopes_on_device(const RewardBatch& batch, const at::Tensor& scores, double scale) const = 0;

    const RewardHeadOptions options_;
};

}  // namespace xlrm
