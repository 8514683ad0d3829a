#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "policy_batch.hpp"
#include "reward_batch.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

enum Metric : std::size_t {
    chosen_reward,
    rejected_reward,
    accuracy,
    reward_margin,
    chosen_logps,
    rejected_logps,
    chosen_logits,
    rejected_logits,
    entropy,
    token_accuracy
};

class Dpo final : public Objective {
public:
    explicit Dpo(const DpoOptions& options) : options_(options) {}
    std::string name() const override { return "dpo"; }
    bool pairs() const override { return true; }
    std::vector<std::string> metric_names() const override {
        return {"rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen",
                "logps/rejected", "logits/chosen",    "logits/rejected",    "entropy",         "mean_token_accuracy"};
    }
    bool needs_reference() const override { return true; }
    void set_reference(std::unique_ptr<ReferenceModel> reference) override { reference_ = std::move(reference); }
    void check(const ItemSet& set) const override { require_responses(set, name(), 2, "pairs"); }
    double item_weight(const ItemSet& /*set*/, std::int64_t /*item*/) const override { return 1.0; }

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                        at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const PolicyBatch batch = pack_policy(set, items, options_.share_prefix);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const PolicyStates states = policy_forward(decoder, batch, saved.get());
        std::vector<double> slopes;
        const StepSums sums = loss_of(decoder, set, items, batch, states, &slopes);
        // The logits are computed a second time: what a token's gradient weighs is known only when both texts' sums are.
        std::vector<float> weights;
        for (const std::int64_t text : batch.predicted.text)
            weights.push_back(static_cast<float>(-slopes[static_cast<std::size_t>(text)]));
        const LmGradient to{scale, at::empty_like(states.rows), lm_weight_of(decoder, gradient)};
        lm_loss(decoder, states.rows, batch.predicted.targets, weights, to);
        policy_backward(decoder, batch, states, *saved, to.rows, gradient, ready);
        return sums;
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const PolicyBatch batch = pack_policy(set, items, options_.share_prefix);
        return loss_of(decoder, set, items, batch, policy_forward(decoder, batch, nullptr), nullptr);
    }

private:
    // Loss of a pair, and its slope in the two texts' log-probabilities.
    struct Term {
        double loss, chosen, rejected;
    };
    Term term(double chosen, double rejected, double chosen_tokens, double rejected_tokens) const {
        const double x = options_.beta * (chosen - rejected);
        const double smooth = options_.label_smoothing;
        switch (options_.loss) {
            case DpoLoss::sigmoid: {
                const double slope = options_.beta * (sigmoid(x) - (1.0 - smooth));
                return {(1.0 - smooth) * softplus(-x) + smooth * softplus(x), slope, -slope};
            }
            case DpoLoss::robust: {
                const double share = 1.0 - 2.0 * smooth;
                const double slope = options_.beta * (sigmoid(x) - (1.0 - smooth) / share);
                return {((1.0 - smooth) * softplus(-x) - smooth * softplus(x)) / share, slope, -slope};
            }
            case DpoLoss::hinge: {
                const double slope = x < 1.0 ? -options_.beta : 0.0;
                return {std::max(0.0, 1.0 - x), slope, -slope};
            }
            case DpoLoss::ipo:
                break;
        }
        const double distance = chosen / chosen_tokens - rejected / rejected_tokens - 1.0 / (2.0 * options_.beta);
        return {distance * distance, 2.0 * distance / chosen_tokens, -2.0 * distance / rejected_tokens};
    }

    StepSums loss_of(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, const PolicyBatch& batch,
                     const PolicyStates& states, std::vector<double>* slopes) const {
        assert(reference_);
        std::vector<TokenStatistics> tokens;
        const std::vector<double> log_probs =
            sum_by_text(batch.predicted, lm_loss(decoder, states.rows, batch.predicted.targets, {}, {}, &tokens).log_probs);
        const std::vector<double> reference = reference_->log_probs(set, items);
        StepSums sums;
        for (std::size_t text = 0; text < log_probs.size(); text += 2) {
            const double chosen = log_probs[text] - reference[text];
            const double rejected = log_probs[text + 1] - reference[text + 1];
            const Term pair =
                term(chosen, rejected, double(batch.predicted.counts[text]), double(batch.predicted.counts[text + 1]));
            sums.loss += pair.loss;
            sums.correct += chosen > rejected ? 1.0 : 0.0;
            sums.margin += options_.beta * (chosen - rejected);
            sums.means[chosen_reward].add(options_.beta * chosen);
            sums.means[rejected_reward].add(options_.beta * rejected);
            sums.means[accuracy].add(chosen > rejected ? 1.0 : 0.0);
            sums.means[reward_margin].add(options_.beta * (chosen - rejected));
            sums.means[chosen_logps].add(log_probs[text]);
            sums.means[rejected_logps].add(log_probs[text + 1]);
            if (slopes != nullptr) slopes->insert(slopes->end(), {pair.chosen, pair.rejected});
        }
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const bool of_chosen = batch.predicted.text[i] % 2 == 0;
            sums.means[of_chosen ? chosen_logits : rejected_logits].add(tokens[i].mean_logit);
            sums.means[entropy].add(tokens[i].entropy);
            if (of_chosen) sums.means[token_accuracy].add(tokens[i].top ? 1.0 : 0.0);
        }
        count_batch(sums, batch, items);
        sums.weight = sums.items;
        return sums;
    }

    DpoOptions options_;
    std::unique_ptr<ReferenceModel> reference_;
};

}  // namespace

DpoLoss parse_dpo_loss(const std::string& name) {
    if (name == "sigmoid") return DpoLoss::sigmoid;
    if (name == "robust") return DpoLoss::robust;
    if (name == "hinge") return DpoLoss::hinge;
    if (name == "ipo") return DpoLoss::ipo;
    fail("--loss-type '" + name + "' is not known (sigmoid, robust, hinge, ipo)", ExitCode::usage);
}

std::unique_ptr<Objective> make_dpo(const DpoOptions& options) { return std::make_unique<Dpo>(options); }

}  // namespace xlrm
