// Gradients against differences of the loss in fp64, losses against their formulas.
#include "xlrm/train/objective.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "train/objective_support.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/infer/scorer.hpp"

namespace xlrm {
namespace {

TEST(BradleyTerry, LossIsItsFormulaOverTheScores) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::reward, false);
    const Decoder decoder(config, parameters);
    const ItemSet set = random_items(2, 3);
    const std::vector<std::int64_t> answers = {0, 1, 2, 3, 4, 5, 6, 7};
    const std::vector<float> scores = score_texts(decoder, set, answers, {}).scores;
    double loss = 0.0, margin = 0.0, correct = 0.0;
    for (std::size_t i = 0; i < 8; i += 2) {
        const double chosen = scores[i], rejected = scores[i + 1];
        loss += -std::log(1.0 / (1.0 + std::exp(rejected - chosen))) + 0.05 * std::pow(chosen + rejected, 2);
        margin += chosen - rejected;
        correct += chosen > rejected ? 1.0 : 0.0;
    }
    const StepSums sums = make_bradley_terry({.center_coefficient = 0.05})->evaluate(decoder, set, kItems).read();
    EXPECT_NEAR(sums.loss, loss, 1e-5);
    EXPECT_NEAR(sums.margin, margin, 1e-5);
    EXPECT_EQ(sums.correct, correct);
    EXPECT_EQ(sums.items, 4.0);
    EXPECT_NEAR(sums.reward_min, *std::min_element(scores.begin(), scores.end()), 1e-6);
    EXPECT_NEAR(sums.reward_max, *std::max_element(scores.begin(), scores.end()), 1e-6);
}

TEST(BradleyTerry, GradientIsThatOfTheLoss) {
    const ModelConfig config = tiny_config(true);
    for (const bool share : {true, false}) {
        Parameters parameters = random_parameters(config, HeadKind::reward, false);
        expect_gradient_of_loss(*make_bradley_terry({.head = {.share_prefix = share}, .center_coefficient = 0.05}), config,
                                parameters, random_items(2, 3));
    }
}

TEST(BradleyTerry, GradientWithAnAuxiliaryLmLossTiedAndUntied) {
    for (const bool tied : {true, false}) {
        const ModelConfig config = tiny_config(tied);
        Parameters parameters =
            tied ? random_parameters(config, HeadKind::reward, false) : random_parameters(config, HeadKind::lm, true);
        const auto objective = make_bradley_terry({.center_coefficient = 0.05, .lm_coefficient = 0.7});
        for (const std::int32_t prompt : {0, 3}) expect_gradient_of_loss(*objective, config, parameters, random_items(2, prompt));
    }
}

TEST(BradleyTerry, AuxiliaryLossIsTheMeanPerTokenOfTheChosenAnswers) {
    const ModelConfig config = tiny_config(true);
    const Parameters reward = random_parameters(config, HeadKind::reward, false);
    // The same body as a language model: the tied head is the embedding.
    Parameters body = init_parameters(config, HeadKind::lm, 5, at::kDouble);
    body.flat.copy_(reward.flat.narrow(0, 0, body.layout.total));
    const ItemSet pairs = random_items(2, 0);
    ItemSet chosen = pairs;
    for (Item& item : chosen.items) item.answers = 1;
    double expected = 0.0;
    for (const std::int64_t item : kItems) {
        const StepSums one =
            make_language_model()->evaluate(Decoder(config, body), chosen, std::vector<std::int64_t>{item}).read();
        expected += one.loss / one.weight;
    }
    const Decoder decoder(config, reward);
    const StepSums plain = make_bradley_terry({})->evaluate(decoder, pairs, kItems).read();
    const StepSums with = make_bradley_terry({.lm_coefficient = 0.5})->evaluate(decoder, pairs, kItems).read();
    EXPECT_NEAR(with.lm_loss, expected, 1e-6);
    EXPECT_NEAR(with.loss, plain.loss + 0.5 * expected, 1e-6);
    EXPECT_EQ(with.lm_weight, 4.0);
    EXPECT_EQ(plain.lm_weight, 0.0);
}

TEST(BradleyTerry, RefusesItemsThatAreNoPairs) {
    EXPECT_THROW(make_bradley_terry({})->check(random_items(3, 1)), Error);
    EXPECT_NO_THROW(make_bradley_terry({})->check(random_items(2, 1)));
}

TEST(LanguageModel, GradientIsThatOfTheLossTiedAndUntied) {
    for (const bool tied : {true, false}) {
        const ModelConfig config = tiny_config(tied);
        Parameters parameters = random_parameters(config, HeadKind::lm, false);
        expect_gradient_of_loss(*make_language_model(), config, parameters, random_items(1, 0));
    }
}

TEST(LanguageModel, CountsEveryTokenButTheFirst) {
    const ModelConfig config = tiny_config(true);
    const Parameters parameters = random_parameters(config, HeadKind::lm, false);
    const ItemSet set = random_items(1, 0);
    const auto objective = make_language_model();
    const StepSums sums = objective->evaluate(Decoder(config, parameters), set, kItems).read();
    double weight = 0.0;
    for (const std::int64_t item : kItems) weight += objective->item_weight(set, item);
    EXPECT_EQ(sums.weight, weight);
    EXPECT_EQ(sums.weight, static_cast<double>(set.tokens.size()) - 4.0);
    EXPECT_THROW(objective->check(random_items(2, 0)), Error);
    EXPECT_THROW(objective->check(random_items(1, 2)), Error);
}

}  // namespace
}  // namespace xlrm
