#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/stack.h>

#include <cmath>

#include "logistic.hpp"
#include "score_objective.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/ops/memory.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

// Chosen and rejected texts of a micro-batch's pairs (2i and 2i + 1), and the tokens that an auxiliary LM loss predicts.
struct PairBatch {
    RewardBatch rewards;
    PredictedTokens predicted;
    at::Tensor weights;  // fp32, of the predicted tokens
};

class BradleyTerry final : public ScoreObjective {
public:
    explicit BradleyTerry(const BradleyTerryOptions& options) : ScoreObjective(options.head), options_(options) {}
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

    PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                           at::Tensor gradient, const Decoder::GradientReady& ready) override {
        const auto pairs = make_batch(decoder, set, items);
        const DecoderSavedPtr saved = make_decoder_saved(decoder.keep());
        const RewardStates states = reward_forward(decoder, pairs->rewards, saved.get());
        const at::Tensor dscores = slopes(pairs->rewards, states.scores, scale);
        const at::Tensor dnormed = reward_head_gradient(decoder, pairs->rewards, states, dscores, gradient);
        const at::Tensor lm_sums =
            lm_loss_of(decoder, *pairs, states, scale, dnormed, lm() ? lm_weight_of(decoder, gradient) : at::Tensor());
        reward_backward(decoder, pairs->rewards, states, *saved, dnormed, gradient, ready);
        return sums_of(pairs, states, lm_sums);
    }

    PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const auto pairs = make_batch(decoder, set, items);
        const RewardStates states = reward_forward(decoder, pairs->rewards, nullptr);
        return sums_of(pairs, states, lm_loss_of(decoder, *pairs, states, 1.0, {}, {}));
    }

private:
    bool lm() const { return options_.lm_coefficient != 0.0; }

    std::shared_ptr<const PairBatch> make_batch(const Decoder& decoder, const ItemSet& set,
                                                std::span<const std::int64_t> items) const {
        const auto out = std::make_shared<PairBatch>();
        const auto rows = [&](const RewardBatch& batch) {
            if (lm()) predict(batch, set, *out);
            return out->predicted.rows;
        };
        out->rewards = pack_rewards(decoder, set, items, options_.head, {rows, {&out->predicted.targets, &out->weights}});
        return out;
    }

    static void predict(const RewardBatch& batch, const ItemSet& set, PairBatch& out) {
        out.predicted = predicted_tokens(batch.batch, set, batch.answers, 2);
        out.weights = at::empty({std::ssize(out.predicted.text)}, at::TensorOptions().dtype(at::kFloat));
        float* next = out.weights.data_ptr<float>();
        for (const std::int64_t text : out.predicted.text)
            *next++ = 1.0F / static_cast<float>(out.predicted.counts[static_cast<std::size_t>(text)]);
    }

    // Loss of a difference of rewards and its slope, for a pair or a tensor of pairs; `margin` is 0 where a pair has none.
    template <class T>
    struct Term {
        T loss, slope;
    };
    template <class T>
    Term<T> term(const T& difference, const T& margin) const {
        const MarginUse use = options_.margin;
        const double smooth = options_.label_smoothing;
        T x = difference;
        if (use == MarginUse::subtract) x = difference - margin;
        if (use == MarginUse::scale_difference) x = margin * difference;
        Term<T> out{(1.0 - smooth) * soft_plus(T(-x)) + smooth * soft_plus(x), logistic(x) - (1.0 - smooth)};
        if (use == MarginUse::scale_loss) out.loss = margin * out.loss;
        if (use == MarginUse::scale_loss || use == MarginUse::scale_difference) out.slope = margin * out.slope;
        return out;
    }

    static double margin_of(const RewardBatch& batch, std::size_t pair) {
        const float margin = batch.set->items[static_cast<std::size_t>(batch.items[pair])].margin;
        return std::isnan(margin) ? 0.0 : double(margin);
    }

    StepSums loss_of(const RewardBatch& batch, std::span<const double> scores, double scale,
                     std::span<double> dscores) const override {
        StepSums sums;
        const double center = options_.center_coefficient;
        for (std::size_t i = 0; i < batch.items.size(); ++i) {
            const double chosen = scores[2 * i];
            const double rejected = scores[2 * i + 1];
            const Term<double> of_pair = term(chosen - rejected, margin_of(batch, i));
            sums.loss += of_pair.loss + center * (chosen + rejected) * (chosen + rejected);
            sums.correct += chosen > rejected ? 1.0 : 0.0;
            sums.margin += chosen - rejected;
            if (dscores.empty()) continue;
            const double pull = 2.0 * center * (chosen + rejected);
            dscores[2 * i] = scale * (pull + of_pair.slope);
            dscores[2 * i + 1] = scale * (pull - of_pair.slope);
        }
        count_rewards(sums, scores);
        count_batch(sums, batch);
        sums.weight = sums.items;
        return sums;
    }

    at::Tensor slopes_on_device(const RewardBatch& batch, const at::Tensor& scores, double scale) const override {
        at::Tensor margins = at::empty({std::ssize(batch.items)}, at::TensorOptions().dtype(at::kDouble));
        for (std::size_t i = 0; i < batch.items.size(); ++i) margins.data_ptr<double>()[i] = margin_of(batch, i);
        send(scores.device(), {&margins});
        const at::Tensor pairs = scores.view({-1, 2}), chosen = pairs.select(1, 0), rejected = pairs.select(1, 1);
        const at::Tensor slope = term(at::Tensor(chosen - rejected), margins).slope;
        const at::Tensor pull = (chosen + rejected) * (2.0 * options_.center_coefficient);
        return at::stack({pull + slope, pull - slope}, 1).mul_(scale).view({-1, 1});
    }

    // The auxiliary LM loss, a mean per token of each chosen answer: [2] fp64, loss and weight; undefined without one. Its
    // gradient is added to dnormed and dweight where they are defined.
    at::Tensor lm_loss_of(const Decoder& decoder, const PairBatch& pairs, const RewardStates& states, double scale,
                          const at::Tensor& dnormed, const at::Tensor& dweight) const {
        const PredictedTokens& predicted = pairs.predicted;
        if (predicted.rows.empty()) return {};
        const at::Tensor rows = gather_rows(states.normed, pairs.rewards.others).to(decoder.parameters().flat.scalar_type());
        const LmGradient gradient{scale * options_.lm_coefficient, dnormed.defined() ? at::empty_like(rows) : at::Tensor(),
                                  dweight};
        const CrossEntropyResult loss = lm_loss(decoder, rows, predicted.targets, pairs.weights, gradient);
        if (dnormed.defined()) scatter_add_rows(gradient.rows.to(dnormed.scalar_type()), pairs.rewards.others, dnormed);
        return loss.sums;
    }

    PendingSums sums_of(const std::shared_ptr<const PairBatch>& pairs, const RewardStates& states,
                        const at::Tensor& lm_sums) const {
        std::vector<at::Tensor> values = {states.scores};
        if (lm_sums.defined()) values.push_back(lm_sums);
        return {values, [this, pairs](const std::vector<std::span<const double>>& read) {
                    StepSums sums = loss_of(pairs->rewards, read[0], 1.0, {});
                    if (read.size() == 1) return sums;
                    sums.loss += options_.lm_coefficient * read[1][0];
                    sums.lm_loss = read[1][0];
                    for (const std::int64_t count : pairs->predicted.counts) sums.lm_weight += count > 0 ? 1.0 : 0.0;
                    return sums;
                }};
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
