#include <ATen/ops/empty_like.h>

#include "policy_batch.hpp"

namespace xlrm {
namespace {

class Sft final : public Objective {
public:
    std::string name() const override { return "sft"; }
    bool pairs() const override { return false; }
    std::vector<std::string> metric_names() const override { return {"entropy", "mean_token_accuracy"}; }
    void check(const ItemSet& set) const override { require_responses(set, name(), 1, "rows {prompt, response}"); }

    double item_weight(const ItemSet& set, std::int64_t item) const override {
        return static_cast<double>(
            predicted_count(set.answers[static_cast<std::size_t>(set.items[static_cast<std::size_t>(item)].first_answer)]));
    }

    PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                           at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const auto batch = pack_policy(decoder, set, items, false);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const PolicyStates states = policy_forward(decoder, *batch, saved.get());
        const LmGradient to{scale, at::empty_like(states.rows), lm_weight_of(decoder, gradient)};
        PendingSums sums = loss_of(decoder, batch, states, to);
        policy_backward(decoder, *batch, states, *saved, to.rows, gradient, ready);
        return sums;
    }

    PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const auto batch = pack_policy(decoder, set, items, false);
        return loss_of(decoder, batch, policy_forward(decoder, *batch, nullptr), {});
    }

private:
    static PendingSums loss_of(const Decoder& decoder, const std::shared_ptr<const PolicyBatch>& batch,
                               const PolicyStates& states, const LmGradient& to) {
        const CrossEntropyResult loss = lm_loss(decoder, states.rows, batch->predicted.targets, {}, to, true);
        return {{loss.sums, loss.statistics}, [batch](const std::vector<std::span<const double>>& values) {
                    StepSums sums;
                    sums.loss = values[0][0];
                    sums.weight = values[0][1];
                    for (const TokenStatistics& token : token_statistics(values[1])) {
                        sums.means[0].add(token.entropy);
                        sums.means[1].add(token.top);
                    }
                    count_batch(sums, *batch);
                    return sums;
                }};
    }
};

}  // namespace

std::unique_ptr<Objective> make_sft() { return std::make_unique<Sft>(); }

}  // namespace xlrm
