// Margins, label smoothing, rankings, regression and the policies' losses: values against their formulas over the scores,
// gradients against differences of the loss in fp64.
#include <gtest/gtest.h>

#include <ATen/ops/mul.h>
#include <ATen/ops/tensor.h>
#include <limits>

#include "support/expect_error.hpp"
#include "train/objective_support.hpp"
#include "xlrm/infer/scorer.hpp"

namespace xlrm {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

std::vector<double> scores_of(const ModelConfig& config, const Parameters& parameters, const ItemSet& set) {
    std::vector<std::int64_t> answers(set.answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) answers[i] = static_cast<std::int64_t>(i);
    const std::vector<float> scores = score_texts(Decoder(config, parameters), set, answers, {}).scores;
    return {scores.begin(), scores.end()};
}

double log_sigmoid(double x) { return -std::log(1.0 + std::exp(-x)); }

TEST(BradleyTerry, MarginsAndSmoothingAreTheirFormulas) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::reward, false);
    ItemSet set = random_items(2, 3);
    const float margins[] = {0.5F, 2.0F, 0.0F, 1.0F};
    for (std::size_t i = 0; i < 4; ++i) set.items[i].margin = margins[i];
    const std::vector<double> r = scores_of(config, parameters, set);
    double none = 0.0, subtract = 0.0, scaled = 0.0, inside = 0.0, smooth = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        const double d = r[2 * i] - r[2 * i + 1], m = margins[i];
        none -= log_sigmoid(d);
        subtract -= log_sigmoid(d - m);
        scaled -= m * log_sigmoid(d);
        inside -= log_sigmoid(m * d);
        smooth -= 0.9 * log_sigmoid(d - m) + 0.1 * log_sigmoid(m - d);
    }
    const Decoder decoder(config, parameters);
    const auto loss = [&](MarginUse use, double epsilon) {
        return make_bradley_terry({.margin = use, .label_smoothing = epsilon})->evaluate(decoder, set, kItems).read().loss;
    };
    EXPECT_NEAR(loss(MarginUse::none, 0.0), none, 1e-5);
    EXPECT_NEAR(loss(MarginUse::subtract, 0.0), subtract, 1e-5);
    EXPECT_NEAR(loss(MarginUse::scale_loss, 0.0), scaled, 1e-5);
    EXPECT_NEAR(loss(MarginUse::scale_difference, 0.0), inside, 1e-5);
    EXPECT_NEAR(loss(MarginUse::subtract, 0.1), smooth, 1e-5);
    for (Item& item : set.items) item.margin = kNone;
    EXPECT_NEAR(loss(MarginUse::subtract, 0.0), none, 1e-5);
}

TEST(BradleyTerry, GradientWithEveryMargin) {
    const ModelConfig config = tiny_config(true);
    Parameters parameters = random_parameters(config, HeadKind::reward, false);
    ItemSet set = random_items(2, 3);
    for (std::size_t i = 0; i < 4; ++i) set.items[i].margin = 0.3F * static_cast<float>(i + 1);
    for (const MarginUse use : {MarginUse::subtract, MarginUse::scale_loss, MarginUse::scale_difference}) {
        expect_gradient_of_loss(*make_bradley_terry({.margin = use, .label_smoothing = 0.2}), config, parameters, set);
    }
}

TEST(BradleyTerry, RefusesToScaleByNoMargin) {
    ItemSet set = random_items(2, 3);
    set.items[2].margin = kNone;
    const auto objective = make_bradley_terry({.margin = MarginUse::scale_loss});
    expect_error([&] { objective->check(set); }, {"item '2'", "no margin"});
    set.items[2].margin = -1.0F;
    expect_error([&] { objective->check(set); }, {"item '2'", "negative"});
    EXPECT_NO_THROW(make_bradley_terry({})->check(set));
}

ItemSet ranked_items() {
    ItemSet set = random_items(4, 3);
    const std::vector<std::vector<float>> ranks = {{1, 2, 3, 4}, {1, 1, 2, 3}, {1, 2, 2, 5}, {1, 1, 1, 1}};
    for (std::size_t i = 0; i < 4; ++i) set.items[i].labels = ranks[i];
    return set;
}

TEST(PlackettLuce, IsItsFormulaAndComparesNoTies) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::reward, false);
    const ItemSet set = ranked_items();
    const std::vector<double> r = scores_of(config, parameters, set);
    double expected = 0.0;
    for (std::size_t item = 0; item < 4; ++item) {
        const auto& rank = set.items[item].labels;
        for (std::size_t i = 0; i < 4; ++i) {
            double behind = 0.0;
            for (std::size_t j = 0; j < 4; ++j) behind += rank[j] > rank[i] ? std::exp(r[4 * item + j]) : 0.0;
            expected -= std::log(std::exp(r[4 * item + i]) / (std::exp(r[4 * item + i]) + behind));
        }
    }
    const auto objective = make_plackett_luce({});
    objective->check(set);
    const StepSums sums = objective->evaluate(Decoder(config, parameters), set, kItems).read();
    EXPECT_NEAR(sums.loss, expected, 1e-5);
    EXPECT_EQ(sums.rewards, 16.0);
    EXPECT_EQ(sums.weight, 4.0);
}

TEST(PlackettLuce, OfPairsIsBradleyTerry) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::reward, false);
    const Decoder decoder(config, parameters);
    const ItemSet set = random_items(2, 3);
    const StepSums one = make_plackett_luce({})->evaluate(decoder, set, kItems).read();
    const StepSums two = make_bradley_terry({})->evaluate(decoder, set, kItems).read();
    EXPECT_NEAR(one.loss, two.loss, 1e-12);
    EXPECT_NEAR(one.margin, two.margin, 1e-12);
    EXPECT_EQ(one.correct, two.correct);
}

TEST(PlackettLuce, GradientIsThatOfTheLoss) {
    const ModelConfig config = tiny_config(true);
    Parameters parameters = random_parameters(config, HeadKind::reward, false);
    expect_gradient_of_loss(*make_plackett_luce({}), config, parameters, ranked_items());
}

// A reward head of three outputs.
Parameters three_outputs(const ModelConfig& config) {
    Parameters parameters = random_parameters(config, HeadKind::reward, false);
    ParameterInfo& head = parameters.layout.tensors.back();
    const at::Tensor row = parameters.view("score.weight").view({-1});
    head.shape = {3, config.hidden};
    head.elements = 3 * config.hidden;
    parameters.layout.total += 2 * config.hidden;
    parameters.flat = at::cat({parameters.flat, at::mul(row, -0.5), at::mul(row, 2.0)});
    return parameters;
}

ItemSet labelled_items() {
    ItemSet set = random_items(1, 3);
    set.items[0].labels = {0.5F, kNone, -1.0F};
    set.items[1].labels = {kNone, kNone, 2.0F};
    set.items[2].labels = {1.0F, 1.0F, 1.0F};
    set.items[3].labels = {kNone, 0.25F, kNone};
    return set;
}

TEST(Regression, IsTheMeanSquaredErrorOfTheKnownLabels) {
    const ModelConfig config = tiny_config(true);
    const Parameters plain = random_parameters(config, HeadKind::reward, false);
    const ItemSet set = labelled_items();
    const std::vector<double> r = scores_of(config, plain, set);
    const double factor[] = {1.0, -0.5, 2.0};
    double expected = 0.0, known = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
            if (std::isnan(set.items[i].labels[k])) continue;
            expected += std::pow(factor[k] * r[i] - double(set.items[i].labels[k]), 2);
            known += 1.0;
        }
    }
    const auto objective = make_regression({});
    objective->check(set);
    EXPECT_EQ(objective->outputs(set), 3);
    const Parameters parameters = three_outputs(config);
    const StepSums sums = objective->evaluate(Decoder(config, parameters), set, kItems).read();
    EXPECT_NEAR(sums.loss, expected, 1e-4);
    EXPECT_EQ(sums.weight, known);
    double weight = 0.0;
    for (const std::int64_t item : kItems) weight += objective->item_weight(set, item);
    EXPECT_EQ(weight, known);
}

TEST(Regression, GradientIsThatOfTheLoss) {
    const ModelConfig config = tiny_config(true);
    Parameters parameters = three_outputs(config);
    expect_gradient_of_loss(*make_regression({}), config, parameters, labelled_items());
}

TEST(Regression, RefusesRowsWithoutLabels) {
    ItemSet set = labelled_items();
    set.items[2].labels.pop_back();
    expect_error([&] { make_regression({})->check(set); }, {"item '2'", "2 label(s)"});
    set.items[2].labels = {kNone, kNone, kNone};
    expect_error([&] { make_regression({})->check(set); }, {"item '2'", "no label but null"});
}

// Responses of at least one token.
ItemSet responses(std::int32_t answers) {
    ItemSet set = random_items(answers, 3);
    for (Answer& answer : set.answers) answer.prompt = std::min(answer.prompt, answer.length - 1);
    return set;
}

// Pairs whose prompts differ in length, and whose completions begin before they end.
ItemSet parted_pairs() {
    ItemSet set = responses(2);
    for (std::size_t i = 0; i < set.answers.size(); ++i) {
        Answer& answer = set.answers[i];
        answer.prompt = std::min<std::int32_t>(3 + static_cast<std::int32_t>(i % 2), answer.length - 1);
        answer.lead = answer.prompt - 2;
    }
    return set;
}

TEST(BradleyTerry, GradientOfPairsThatPart) {
    const ModelConfig config = tiny_config(true);
    Parameters parameters = random_parameters(config, HeadKind::reward, false);
    expect_gradient_of_loss(*make_bradley_terry({}), config, parameters, parted_pairs());
}

TEST(Sft, GradientIsThatOfTheLossTiedAndUntied) {
    for (const bool tied : {true, false}) {
        const ModelConfig config = tiny_config(tied);
        Parameters parameters = random_parameters(config, HeadKind::lm, false);
        expect_gradient_of_loss(*make_sft(), config, parameters, responses(1));
    }
    expect_error([] { make_sft()->check(random_items(2, 3)); }, {"2 answer(s)"});
}

class FixedReference final : public ReferenceModel {
public:
    at::Tensor log_probs(const ItemSet& /*set*/, std::span<const std::int64_t> items) override {
        std::vector<double> out;
        for (const std::int64_t item : items) out.insert(out.end(), {-20.0 - double(item), -21.5 + double(item)});
        return at::tensor(out, at::kDouble);
    }
};

TEST(Dpo, GradientIsThatOfEveryLoss) {
    for (const bool tied : {true, false}) {
        const ModelConfig config = tiny_config(tied);
        for (const DpoLoss loss : {DpoLoss::sigmoid, DpoLoss::robust, DpoLoss::hinge, DpoLoss::ipo}) {
            Parameters parameters = random_parameters(config, HeadKind::lm, false);
            const auto objective = make_dpo(
                {.loss = loss, .beta = 0.1, .label_smoothing = loss == DpoLoss::sigmoid || loss == DpoLoss::robust ? 0.1 : 0.0});
            objective->set_reference(std::make_unique<FixedReference>());
            for (const ItemSet& set : {responses(2), parted_pairs()})
                expect_gradient_of_loss(*objective, config, parameters, set);
        }
    }
}

TEST(Dpo, LabelSmoothingMixesTheTwoDirections) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::lm, false);
    const Decoder decoder(config, parameters);
    const ItemSet set = responses(2);
    const auto sums = [&](double epsilon, std::int64_t item) {
        const auto objective = make_dpo({.beta = 0.1, .label_smoothing = epsilon});
        objective->set_reference(std::make_unique<FixedReference>());
        return objective->evaluate(decoder, set, std::vector<std::int64_t>{item}).read();
    };
    for (const std::int64_t item : kItems) {
        const double x = sums(0.0, item).margin;
        EXPECT_NEAR(sums(0.0, item).loss, -log_sigmoid(x), 1e-12);
        EXPECT_NEAR(sums(0.3, item).loss, -0.7 * log_sigmoid(x) - 0.3 * log_sigmoid(-x), 1e-12);
    }
}

}  // namespace
}  // namespace xlrm
