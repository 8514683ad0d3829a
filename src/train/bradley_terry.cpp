#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "lm_head.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/model/packed_batch.hpp"
#include "xlrm/ops/cross_entropy.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/ops/rows.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {
namespace {

// log(1 + exp(x)) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// Tokens of the chosen answers that an auxiliary LM loss predicts: text, index within it, and the answer's share of one token.
struct Predicted {
    std::vector<std::int64_t> rows;     // row that predicts
    std::vector<std::int32_t> targets;  // token predicted
    std::vector<float> weights;         // 1 / tokens of this answer
    double answers = 0.0;               // that have a token to predict
};

// One micro-batch: chosen and rejected texts of its pairs (2i and 2i + 1), and where the heads read.
struct PairBatch {
    PackedBatch batch;
    NeededRows needed;
    at::Tensor pooled;  // [2 · pairs] int64, rows among those needed
    at::Tensor predicts;  // [predicted tokens] int64, likewise
    Predicted predicted;
    std::int64_t pairs = 0;
};

// What the forward pass gives at the needed rows. With bf16 compute the final norm and the reward head work in fp32, as they do when
// the model is evaluated.
struct PairStates {
    at::Tensor residual, rstd, normed;  // [needed, d], [needed], [needed, d]; fp32 (fp64)
    at::Tensor pooled;                  // [2 · pairs, d] of normed
    at::Tensor scores;                  // [2 · pairs] fp32 (fp64)
};

template <typename T>
at::Tensor tensor_of(const std::vector<T>& values, at::ScalarType dtype) {
    const at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions().dtype(dtype));
    std::copy(values.begin(), values.end(), out.data_ptr<T>());
    return out;
}

double value_of(const at::Tensor& values, std::int64_t i) {
    return values.scalar_type() == at::kDouble ? values.const_data_ptr<double>()[i] : double(values.const_data_ptr<float>()[i]);
}

void set_value(const at::Tensor& values, std::int64_t i, double value) {
    if (values.scalar_type() == at::kDouble) values.data_ptr<double>()[i] = value;
    else values.data_ptr<float>()[i] = static_cast<float>(value);
}

class BradleyTerry final : public Objective {
public:
    explicit BradleyTerry(const BradleyTerryOptions& options) : options_(options) {}
    std::string name() const override { return "bt"; }
    bool pairs() const override { return true; }
    double item_weight(const ItemSet& /*set*/, std::int64_t /*item*/) const override { return 1.0; }

    void check(const ItemSet& set) const override {
        for (const Item& item : set.items) {
            if (item.answers == 2) continue;
            fail("item '" + item.id + "' has " + std::to_string(item.answers) + " answer(s) (the objective bt needs one chosen and one rejected); " +
                 "give pairs");
        }
    }

    StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale, at::Tensor gradient,
                        const Decoder::GradientReady& ready) override {
        const PairBatch pairs = make_batch(decoder, set, items);
        const DecoderSavedPtr saved = make_decoder_saved();
        const PairStates states = forward(decoder, pairs, saved.get());
        const at::Tensor dscores = at::empty_like(states.scores);
        StepSums sums = loss_of(pairs, states, scale, dscores);

        const at::Tensor dnormed = at::zeros_like(states.normed);
        const at::Tensor dhead = decoder.parameters().view_of(gradient, "score.weight").view({-1});
        scatter_add_rows(reward_head_backward(dscores, states.pooled, head(decoder), dhead), pairs.pooled, dnormed);
        add_lm_loss(decoder, pairs, states, scale, sums, dnormed, lm() ? lm_weight_of(decoder, gradient) : at::Tensor());
        const at::Tensor dresidual = decoder.final_norm_backward(dnormed, states.residual, states.rstd, gradient);
        decoder.backward(pairs.batch, *saved, dresidual.to(compute_type(decoder)), gradient, ready);
        return sums;
    }

    StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) override {
        const PairBatch pairs = make_batch(decoder, set, items);
        const PairStates states = forward(decoder, pairs, nullptr);
        StepSums sums = loss_of(pairs, states, 1.0, {});
        add_lm_loss(decoder, pairs, states, 1.0, sums, {}, {});
        return sums;
    }

private:
    static at::ScalarType compute_type(const Decoder& decoder) { return decoder.parameters().flat.scalar_type(); }
    bool lm() const { return options_.lm_coefficient != 0.0; }
    static at::Tensor head(const Decoder& decoder) { return decoder.parameters().view("score.weight").view({-1}); }

    PairBatch make_batch(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) const {
        PairBatch out;
        out.pairs = static_cast<std::int64_t>(items.size());
        std::vector<std::int64_t> answers;
        for (const std::int64_t item : items) {
            const std::int64_t first = set.items[static_cast<std::size_t>(item)].first_answer;
            answers.insert(answers.end(), {first, first + 1});
        }
        out.batch = pack(set, answers, options_.share_prefix);
        std::vector<std::int64_t> rows;
        for (std::size_t text = 0; text < answers.size(); ++text) {
            const auto tokens = set.answer_tokens(set.answers[static_cast<std::size_t>(answers[text])]);
            rows.push_back(out.batch.row(static_cast<std::int64_t>(text), pooled_index(options_.pooling, tokens, decoder.config().pad)));
        }
        if (lm()) {
            out.predicted = predicted_tokens(out.batch, set, answers);
            rows.insert(rows.end(), out.predicted.rows.begin(), out.predicted.rows.end());
        }
        out.needed = needed_rows(rows);
        out.pooled = out.needed.place.narrow(0, 0, 2 * out.pairs);
        out.predicts = out.needed.place.narrow(0, 2 * out.pairs, static_cast<std::int64_t>(out.predicted.rows.size()));
        return out;
    }

    static Predicted predicted_tokens(const PackedBatch& batch, const ItemSet& set, const std::vector<std::int64_t>& answers) {
        Predicted out;
        for (std::size_t text = 0; text < answers.size(); text += 2) {
            const Answer& answer = set.answers[static_cast<std::size_t>(answers[text])];
            const auto tokens = set.answer_tokens(answer);
            const std::int32_t first = std::max(answer.prompt, 1);
            if (first >= answer.length) continue;
            out.answers += 1.0;
            for (std::int32_t index = first; index < answer.length; ++index) {
                out.rows.push_back(batch.row(static_cast<std::int64_t>(text), index - 1));
                out.targets.push_back(tokens[static_cast<std::size_t>(index)]);
                out.weights.push_back(1.0F / static_cast<float>(answer.length - first));
            }
        }
        return out;
    }

    PairStates forward(const Decoder& decoder, const PairBatch& pairs, DecoderSaved* saved) const {
        PairStates out;
        out.residual = decoder.forward(pairs.batch, pairs.needed.rows, saved);
        if (out.residual.scalar_type() == at::kBFloat16) out.residual = out.residual.to(at::kFloat);
        out.normed = decoder.final_norm(out.residual, &out.rstd);
        out.pooled = gather_rows(out.normed, pairs.pooled);
        out.scores = reward_head(out.pooled, head(decoder));
        return out;
    }

    // Loss and metrics; the gradient with respect to the scores where `dscores` is defined.
    StepSums loss_of(const PairBatch& pairs, const PairStates& states, double scale, const at::Tensor& dscores) const {
        StepSums sums;
        const double center = options_.center_coefficient;
        for (std::int64_t i = 0; i < pairs.pairs; ++i) {
            const double chosen = value_of(states.scores, 2 * i);
            const double rejected = value_of(states.scores, 2 * i + 1);
            const double margin = chosen - rejected;
            sums.loss += softplus(-margin) + center * (chosen + rejected) * (chosen + rejected);
            sums.correct += chosen > rejected ? 1.0 : 0.0;
            sums.margin += margin;
            sums.reward_sum += chosen + rejected;
            sums.reward_min = std::min({sums.reward_min, chosen, rejected});
            sums.reward_max = std::max({sums.reward_max, chosen, rejected});
            if (!dscores.defined()) continue;
            const double slope = -1.0 / (1.0 + std::exp(margin));
            const double pull = 2.0 * center * (chosen + rejected);
            set_value(dscores, 2 * i, scale * (slope + pull));
            set_value(dscores, 2 * i + 1, scale * (pull - slope));
        }
        sums.items = sums.weight = static_cast<double>(pairs.pairs);
        sums.tokens = static_cast<double>(pairs.batch.logical_tokens);
        sums.physical = static_cast<double>(pairs.batch.physical_tokens());
        return sums;
    }

    // The auxiliary LM loss; its gradient is added to dnormed and dweight where they are defined.
    void add_lm_loss(const Decoder& decoder, const PairBatch& pairs, const PairStates& states, double scale, StepSums& sums,
                     const at::Tensor& dnormed, const at::Tensor& dweight) const {
        if (!lm() || pairs.predicted.rows.empty()) return;
        const at::Tensor rows = gather_rows(states.normed, pairs.predicts).to(compute_type(decoder));
        const at::Tensor drows = dnormed.defined() ? at::empty_like(rows) : at::Tensor();
        const CrossEntropyResult loss =
            chunked_cross_entropy(rows, lm_weight(decoder), tensor_of(pairs.predicted.targets, at::kInt),
                                  tensor_of(pairs.predicted.weights, at::kFloat), scale * options_.lm_coefficient, drows, dweight);
        if (dnormed.defined()) scatter_add_rows(drows.to(dnormed.scalar_type()), pairs.predicts, dnormed);
        sums.loss += options_.lm_coefficient * loss.loss_sum;
        sums.lm_loss = loss.loss_sum;
        sums.lm_weight = pairs.predicted.answers;
    }

    BradleyTerryOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_bradley_terry(const BradleyTerryOptions& options) { return std::make_unique<BradleyTerry>(options); }

}  // namespace xlrm
