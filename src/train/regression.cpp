#include <algorithm>
#include <cmath>

#include "reward_batch.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

class Regression final : public Objective {
public:
    explicit Regression(const RewardHeadOptions& options) : options_(options) {}
    std::string name() const override { return "regression"; }
    bool pairs() const override { return false; }
    std::int64_t outputs(const ItemSet& set) const override { return static_cast<std::int64_t>(set.items.front().labels.size()); }

    void check(const ItemSet& set) const override {
        for (const Item& item : set.items) {
            const std::size_t first = set.items.front().labels.size();
            if (item.answers != 1 || item.labels.empty()) fail("item '" + item.id + "' is no response with labels (the objective regression needs them)");
            if (item.labels.size() != first) {
                fail("item '" + item.id + "' has " + std::to_string(item.labels.size()) + " label(s) and '" + set.items.front().id + "' " +
                     std::to_string(first) + " (every row needs the same, with null for those not known)");
            }
            if (known(item) == 0) fail("item '" + item.id + "' has no label but null (nothing can be learnt from it); remove the row");
        }
    }

    double item_weight(const ItemSet& set, std::int64_t item) const override {
        return static_cast<double>(known(set.items[static_cast<std::size_t>(item)]));
    }

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale, at::Tensor gradient,
                        const Decoder::GradientReady& ready) override {
        const RewardBatch batch = pack_rewards(decoder, set, items, options_);
        const DecoderSavedPtr saved = make_decoder_saved();
        const RewardStates states = reward_forward(decoder, batch, saved.get());
        std::vector<double> dscores(states.scores.size(), 0.0);
        const StepSums sums = loss_of(set, items, batch, states, scale, dscores);
        reward_backward(decoder, batch, states, *saved, reward_head_gradient(decoder, batch, states, dscores, gradient), gradient, ready);
        return sums;
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const RewardBatch batch = pack_rewards(decoder, set, items, options_);
        const RewardStates states = reward_forward(decoder, batch, nullptr);
        std::vector<double> unused(states.scores.size(), 0.0);
        return loss_of(set, items, batch, states, 1.0, unused);
    }

private:
    static std::int64_t known(const Item& item) {
        return std::ranges::count_if(item.labels, [](float label) { return !std::isnan(label); });
    }

    static StepSums loss_of(const ItemSet& set, std::span<const std::int64_t> items, const RewardBatch& batch, const RewardStates& states,
                            double scale, std::vector<double>& dscores) {
        StepSums sums;
        std::size_t at = 0;
        for (const std::int64_t item : items) {
            for (const float label : set.items[static_cast<std::size_t>(item)].labels) {
                const double difference = states.scores[at] - double(label);
                if (!std::isnan(label)) {
                    sums.loss += difference * difference;
                    sums.weight += 1.0;
                    dscores[at] = 2.0 * scale * difference;
                }
                ++at;
            }
        }
        count_rewards(sums, states.scores);
        count_batch(sums, batch);
        return sums;
    }

    RewardHeadOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_regression(const RewardHeadOptions& options) { return std::make_unique<Regression>(options); }

}  // namespace xlrm
