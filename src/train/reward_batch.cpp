#include "reward_batch.hpp"

#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "xlrm/core/profile.hpp"
#include "xlrm/infer/reward_head.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {}  // namespace

RewardBatch pack_rewards(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items,
                         const RewardHeadOptions& options, const ExtraRows& extra) {
    const StageScope scope("pack");
    RewardBatch out;
    out.set = &set;
    out.items.assign(items.begin(), items.end());
    for (const std::int64_t item : items) {
        const Item& entry = set.items[static_cast<std::size_t>(item)];
        for (std::int32_t k = 0; k < entry.answers; ++k) out.answers.push_back(entry.first_answer + k);
        out.counts.push_back(entry.answers);
    }
    out.batch = pack(set, out.answers, options.share_prefix);
    std::vector<std::int64_t> rows = pooled_rows(decoder, out.batch, set, out.answers, options.pooling);
    const auto texts = static_cast<std::int64_t>(rows.size());
    if (extra.rows) {
        const std::vector<std::int64_t> more = extra.rows(out);
        rows.insert(rows.end(), more.begin(), more.end());
    }
    out.needed = needed_rows(rows);
    std::vector<at::Tensor*> sent = {&out.batch.tokens, &out.batch.positions, &out.needed.rows, &out.needed.place};
    sent.insert(sent.end(), extra.tensors.begin(), extra.tensors.end());
    send(decoder.device(), sent);
    out.pooled = out.needed.place.narrow(0, 0, texts);
    out.others = out.needed.place.narrow(0, texts, static_cast<std::int64_t>(rows.size()) - texts);
    return out;
}

RewardStates reward_forward(const Decoder& decoder, const RewardBatch& batch, DecoderSaved* saved) {
    const StageScope scope("forward");
    RewardStates out;
    out.residual = head_precision(decoder.forward(batch.batch, batch.needed, saved));
    out.normed = decoder.final_norm(out.residual, &out.rstd);
    out.pooled = gather_rows(out.normed, batch.pooled);
    out.scores = reward_scores(decoder, out.pooled).to(at::kDouble).contiguous();
    return out;
}

at::Tensor reward_head_gradient(const Decoder& decoder, const RewardBatch& batch, const RewardStates& states,
                                const at::Tensor& dscores, const at::Tensor& gradient) {
    const StageScope scope("backward");
    const at::Tensor dnormed = at::zeros_like(states.normed);
    const at::Tensor head = decoder.parameters().view(kScoreWeight);
    const at::Tensor dhead = decoder.parameters().view_of(gradient, kScoreWeight);
    for (std::int64_t k = 0; k < head.size(0); ++k) {
        const at::Tensor slope = dscores.select(1, k).to(states.normed.scalar_type()).contiguous();
        scatter_add_rows(reward_head_backward(slope, states.pooled, head.select(0, k), dhead.select(0, k)), batch.pooled,
                         dnormed);
    }
    return dnormed;
}

void reward_backward(const Decoder& decoder, const RewardBatch& batch, const RewardStates& states, DecoderSaved& saved,
                     const at::Tensor& dnormed, const at::Tensor& gradient, const Decoder::GradientReady& ready) {
    const StageScope scope("backward");
    const at::Tensor dresidual = decoder.final_norm_backward(dnormed, states.residual, states.rstd, gradient);
    decoder.backward(batch.batch, saved, dresidual.to(decoder.parameters().flat.scalar_type()), gradient, ready);
}

void count_batch(StepSums& sums, const RewardBatch& batch) {
    sums.items = static_cast<double>(batch.counts.size());
    sums.tokens = static_cast<double>(batch.batch.logical_tokens);
    sums.physical = static_cast<double>(batch.batch.physical_tokens());
}

void count_rewards(StepSums& sums, std::span<const double> rewards) {
    for (const double reward : rewards) {
        sums.reward_sum += reward;
        sums.reward_min = std::min(sums.reward_min, reward);
        sums.reward_max = std::max(sums.reward_max, reward);
    }
    sums.rewards += static_cast<double>(rewards.size());
}

}  // namespace xlrm
