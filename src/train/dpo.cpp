#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cassert>

#include "logistic.hpp"
#include "policy_batch.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/ops/memory.hpp"

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

    PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                           at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const auto batch = pack_policy(decoder, set, items, options_.share_prefix);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const PolicyStates states = policy_forward(decoder, *batch, saved.get());
        const Measured measured = measure(decoder, set, items, *batch, states);
        // The logits are computed a second time: what a token's gradient weighs is known only when both texts' sums are.
        const at::Tensor weights = at::index_select(slopes(*batch, measured).neg(), 0, batch->predicted.texts).to(at::kFloat);
        const LmGradient to{scale, at::empty_like(states.rows), lm_weight_of(decoder, gradient)};
        lm_loss(decoder, states.rows, batch->predicted.targets, weights, to);
        policy_backward(decoder, *batch, states, *saved, to.rows, gradient, ready);
        return sums_of(batch, measured);
    }

    PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const auto batch = pack_policy(decoder, set, items, options_.share_prefix);
        const PolicyStates states = policy_forward(decoder, *batch, nullptr);
        return sums_of(batch, measure(decoder, set, items, *batch, states));
    }

private:
    // Loss of a pair, and its slope in the two texts' log-probabilities: of one pair, or of a tensor of pairs.
    template <class T>
    struct Term {
        T loss, chosen, rejected;
    };
    template <class T>
    Term<T> term(const T& chosen, const T& rejected, const T& chosen_tokens, const T& rejected_tokens) const {
        const T x = options_.beta * (chosen - rejected);
        const double smooth = options_.label_smoothing;
        switch (options_.loss) {
            case DpoLoss::sigmoid: {
                const T slope = options_.beta * (logistic(x) - (1.0 - smooth));
                return {(1.0 - smooth) * soft_plus(T(-x)) + smooth * soft_plus(x), slope, -slope};
            }
            case DpoLoss::robust: {
                const double share = 1.0 - 2.0 * smooth;
                const T slope = options_.beta * (logistic(x) - (1.0 - smooth) / share);
                return {((1.0 - smooth) * soft_plus(T(-x)) - smooth * soft_plus(x)) / share, slope, -slope};
            }
            case DpoLoss::hinge: {
                const T slope = where_positive(T(1.0 - x), -options_.beta);
                return {positive_part(T(1.0 - x)), slope, -slope};
            }
            case DpoLoss::ipo:
                break;
        }
        const T distance = chosen / chosen_tokens - rejected / rejected_tokens - 1.0 / (2.0 * options_.beta);
        return {distance * distance, 2.0 * distance / chosen_tokens, -2.0 * distance / rejected_tokens};
    }

    // What loss and metrics are made of, on the device.
    struct Measured {
        at::Tensor policy, reference;  // [texts] fp64 sums of log-probabilities
        at::Tensor statistics;         // of the predicted tokens
    };
    Measured measure(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, const PolicyBatch& batch,
                     const PolicyStates& states) const {
        assert(reference_);
        const CrossEntropyResult loss = lm_loss(decoder, states.rows, batch.predicted.targets, {}, {}, true);
        return {sum_by_text(batch.predicted, loss.log_probs), reference_->log_probs(set, items), loss.statistics};
    }

    // d(loss)/d(log-probability) of each text [texts] fp64, where it is computed.
    at::Tensor slopes(const PolicyBatch& batch, const Measured& measured) const {
        const at::Tensor& policy = measured.policy;
        if (on_host(policy.device())) {
            const at::Tensor out = at::empty_like(policy);
            for (std::int64_t text = 0; text < policy.size(0); text += 2) {
                const Term<double> pair = term_of(text, policy.const_data_ptr<double>(),
                                                  measured.reference.const_data_ptr<double>(), batch.predicted.counts);
                out.data_ptr<double>()[text] = pair.chosen;
                out.data_ptr<double>()[text + 1] = pair.rejected;
            }
            return out;
        }
        at::Tensor counts = at::empty(policy.sizes(), at::TensorOptions().dtype(at::kDouble));
        std::ranges::copy(batch.predicted.counts, counts.data_ptr<double>());
        send(policy.device(), {&counts});
        const at::Tensor gain = (policy - measured.reference).view({-1, 2}), tokens = counts.view({-1, 2});
        const auto pair = term<at::Tensor>(gain.select(1, 0), gain.select(1, 1), tokens.select(1, 0), tokens.select(1, 1));
        return at::stack({pair.chosen, pair.rejected}, 1).flatten();
    }

    Term<double> term_of(std::int64_t text, const double* policy, const double* reference,
                         const std::vector<std::int64_t>& counts) const {
        const auto first = static_cast<std::size_t>(text);
        return term(policy[first] - reference[first], policy[first + 1] - reference[first + 1], double(counts[first]),
                    double(counts[first + 1]));
    }

    PendingSums sums_of(const std::shared_ptr<const PolicyBatch>& batch, const Measured& measured) const {
        return {{measured.policy, measured.reference, measured.statistics},
                [this, batch](const std::vector<std::span<const double>>& values) {
                    StepSums sums = pair_sums(*batch, values[0], values[1]);
                    add_tokens(sums, *batch, token_statistics(values[2]));
                    count_batch(sums, *batch);
                    sums.weight = sums.items;
                    return sums;
                }};
    }

    StepSums pair_sums(const PolicyBatch& batch, std::span<const double> log_probs, std::span<const double> reference) const {
        StepSums sums;
        for (std::size_t text = 0; text < log_probs.size(); text += 2) {
            const double chosen = log_probs[text] - reference[text];
            const double rejected = log_probs[text + 1] - reference[text + 1];
            sums.loss +=
                term_of(static_cast<std::int64_t>(text), log_probs.data(), reference.data(), batch.predicted.counts).loss;
            sums.correct += chosen > rejected ? 1.0 : 0.0;
            sums.margin += options_.beta * (chosen - rejected);
            sums.means[chosen_reward].add(options_.beta * chosen);
            sums.means[rejected_reward].add(options_.beta * rejected);
            sums.means[accuracy].add(chosen > rejected ? 1.0 : 0.0);
            sums.means[reward_margin].add(options_.beta * (chosen - rejected));
            sums.means[chosen_logps].add(log_probs[text]);
            sums.means[rejected_logps].add(log_probs[text + 1]);
        }
        return sums;
    }

    static void add_tokens(StepSums& sums, const PolicyBatch& batch, std::span<const TokenStatistics> tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const bool of_chosen = batch.predicted.text[i] % 2 == 0;
            sums.means[of_chosen ? chosen_logits : rejected_logits].add(tokens[i].mean_logit);
            sums.means[entropy].add(tokens[i].entropy);
            if (of_chosen) sums.means[token_accuracy].add(tokens[i].top);
        }
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
