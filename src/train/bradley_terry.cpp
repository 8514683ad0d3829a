#include <ATen/ops/empty_like.h>

#include <cmath>

#include "reward_batch.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

// Chosen and rejected texts of a micro-batch's pairs (2i and 2i + 1), and the tokens that an auxiliary LM loss predicts.
struct PairBatch {
    RewardBatch rewards;
    PredictedTokens predicted;
    std::span<const std::int64_t> items;
};

class BradleyTerry final : public Objective {
public:
    explicit BradleyTerry(const BradleyTerryOptions& options) : options_(options) {}
    std::string name() const override { return "bt"; }
    bool pairs() const override { return true; }
    double item_weight(const ItemSet& /*set*/, std::int64_t /*item*/) const override { return 1.0; }

    void check(const ItemSet& set) const override {
        const bool scaled = options_.margin == MarginUse::scale_loss || options_.margin == MarginUse::scale_difference;
        for (const Item& item : set.items) {
            if (item.answers != 2) {
                fail(
                    "item '" + item.id + "' has " + std::to_string(item.answers) +
                    " answer(s) (the objective bt needs one chosen and one rejected); give pairs, or choose --objective ranking");
            }
            if (scaled && !(item.margin >= 0.0F)) {
                fail("item '" + item.id + "' has " + (std::isnan(item.margin) ? "no margin" : "a negative margin") +
                     " (its loss cannot be scaled); give a `margin` of 0 or more in every row, or choose --margin subtract");
            }
        }
    }

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                        at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const PairBatch pairs = make_batch(decoder, set, items);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const RewardStates states = reward_forward(decoder, pairs.rewards, saved.get());
        std::vector<double> dscores(states.scores.size());
        StepSums sums = loss_of(set, pairs, states, scale, &dscores);
        const at::Tensor dnormed = reward_head_gradient(decoder, pairs.rewards, states, dscores, gradient);
        add_lm_loss(decoder, pairs, states, scale, sums, dnormed, lm() ? lm_weight_of(decoder, gradient) : at::Tensor());
        reward_backward(decoder, pairs.rewards, states, *saved, dnormed, gradient, ready);
        return sums;
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const PairBatch pairs = make_batch(decoder, set, items);
        const RewardStates states = reward_forward(decoder, pairs.rewards, nullptr);
        StepSums sums = loss_of(set, pairs, states, 1.0, nullptr);
        add_lm_loss(decoder, pairs, states, 1.0, sums, {}, {});
        return sums;
    }

private:
    bool lm() const { return options_.lm_coefficient != 0.0; }

    PairBatch make_batch(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) const {
        PairBatch out;
        out.items = items;
        out.rewards = pack_rewards(decoder, set, items, options_.head, [&](const RewardBatch& batch) {
            if (lm()) out.predicted = predicted_tokens(batch.batch, set, batch.answers, 2);
            return out.predicted.rows;
        });
        return out;
    }

    // Loss of a difference of rewards and its slope.
    struct Term {
        double loss, slope;
    };
    Term term(double difference, float margin) const {
        const double given = std::isnan(margin) ? 0.0 : double(margin);
        double factor = 1.0, inner = 1.0, shift = 0.0;
        switch (options_.margin) {
            case MarginUse::none:
                break;
            case MarginUse::subtract:
                shift = given;
                break;
            case MarginUse::scale_loss:
                factor = given;
                break;
            case MarginUse::scale_difference:
                inner = given;
                break;
        }
        const double x = inner * difference - shift;
        const double smooth = options_.label_smoothing;
        return {factor * ((1.0 - smooth) * softplus(-x) + smooth * softplus(x)), factor * inner * (sigmoid(x) - (1.0 - smooth))};
    }

    // Loss and metrics; the gradient with respect to the scores where it is asked for.
    StepSums loss_of(const ItemSet& set, const PairBatch& pairs, const RewardStates& states, double scale,
                     std::vector<double>* dscores) const {
        StepSums sums;
        const double center = options_.center_coefficient;
        for (std::size_t i = 0; i < pairs.items.size(); ++i) {
            const double chosen = states.scores[2 * i];
            const double rejected = states.scores[2 * i + 1];
            const Term term_of_pair = term(chosen - rejected, set.items[static_cast<std::size_t>(pairs.items[i])].margin);
            sums.loss += term_of_pair.loss + center * (chosen + rejected) * (chosen + rejected);
            sums.correct += chosen > rejected ? 1.0 : 0.0;
            sums.margin += chosen - rejected;
            if (dscores == nullptr) continue;
            const double pull = 2.0 * center * (chosen + rejected);
            (*dscores)[2 * i] = scale * (pull + term_of_pair.slope);
            (*dscores)[2 * i + 1] = scale * (pull - term_of_pair.slope);
        }
        count_rewards(sums, states.scores);
        count_batch(sums, pairs.rewards);
        sums.weight = sums.items;
        return sums;
    }

    // The auxiliary LM loss, a mean per token of each chosen answer; its gradient is added to dnormed and dweight where they are
    // defined.
    void add_lm_loss(const Decoder& decoder, const PairBatch& pairs, const RewardStates& states, double scale, StepSums& sums,
                     const at::Tensor& dnormed, const at::Tensor& dweight) const {
        const PredictedTokens& predicted = pairs.predicted;
        if (predicted.rows.empty()) return;
        std::vector<float> weights;
        for (const std::int64_t text : predicted.text)
            weights.push_back(1.0F / static_cast<float>(predicted.counts[static_cast<std::size_t>(text)]));
        const at::Tensor rows = gather_rows(states.normed, pairs.rewards.others).to(decoder.parameters().flat.scalar_type());
        const LmGradient gradient{scale * options_.lm_coefficient, dnormed.defined() ? at::empty_like(rows) : at::Tensor(),
                                  dweight};
        const CrossEntropyResult loss = lm_loss(decoder, rows, predicted.targets, weights, gradient);
        if (dnormed.defined()) scatter_add_rows(gradient.rows.to(dnormed.scalar_type()), pairs.rewards.others, dnormed);
        sums.loss += options_.lm_coefficient * loss.loss_sum;
        sums.lm_loss = loss.loss_sum;
        for (const std::int64_t count : predicted.counts) sums.lm_weight += count > 0 ? 1.0 : 0.0;
    }

    BradleyTerryOptions options_;
};

}  // namespace

MarginUse parse_margin_use(const std::string& name) {
    if (name == "none") return MarginUse::none;
    if (name == "subtract") return MarginUse::subtract;
    if (name == "scale-loss") return MarginUse::scale_loss;
    if (name == "scale-difference") return MarginUse::scale_difference;
    fail("--margin '" + name + "' is not known (none, subtract, scale-loss, scale-difference)", ExitCode::usage);
}

std::unique_ptr<Objective> make_bradley_terry(const BradleyTerryOptions& options) {
    return std::make_unique<BradleyTerry>(options);
}

}  // namespace xlrm
