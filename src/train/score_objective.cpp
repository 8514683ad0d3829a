#include "score_objective.hpp"

#include <ATen/ops/zeros_like.h>

#include "xlrm/ops/memory.hpp"

namespace xlrm {

at::Tensor ScoreObjective::slopes(const RewardBatch& batch, const at::Tensor& scores, double scale) const {
    if (!on_host(scores.device())) return slopes_on_device(batch, scores, scale);
    const at::Tensor dscores = at::zeros_like(scores);
    const auto count = static_cast<std::size_t>(scores.numel());
    loss_of(batch, {scores.const_data_ptr<double>(), count}, scale, {dscores.data_ptr<double>(), count});
    return dscores;
}

PendingSums ScoreObjective::accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items,
                                       double scale, at::Tensor gradient, const Decoder::GradientReady& ready) {
    const auto batch = std::make_shared<const RewardBatch>(pack_rewards(decoder, set, items, options_));
    const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
    const RewardStates states = reward_forward(decoder, *batch, saved.get());
    const at::Tensor dscores = slopes(*batch, states.scores, scale);
    reward_backward(decoder, *batch, states, *saved, reward_head_gradient(decoder, *batch, states, dscores, gradient), gradient,
                    ready);
    return {{states.scores}, [this, batch](const auto& values) { return loss_of(*batch, values[0], 1.0, {}); }};
}

PendingSums ScoreObjective::evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) {
    const auto batch = std::make_shared<const RewardBatch>(pack_rewards(decoder, set, items, options_));
    const RewardStates states = reward_forward(decoder, *batch, nullptr);
    return {{states.scores}, [this, batch](const auto& values) { return loss_of(*batch, values[0], 1.0, {}); }};
}

}  // namespace xlrm
