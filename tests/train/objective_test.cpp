// Gradients against differences of the loss in fp64, losses against their formulas.
#include "xlrm/train/objective.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/model/scorer.hpp"

namespace xlrm {
namespace {

ModelConfig tiny_config(bool tied) {
    return parse_model_config({{"model_type", "llama"}, {"hidden_size", 16}, {"intermediate_size", 24}, {"num_hidden_layers", 2},
                               {"num_attention_heads", 4}, {"num_key_value_heads", 2}, {"vocab_size", 30}, {"max_position_embeddings", 64},
                               {"rms_norm_eps", 1e-5}, {"tie_word_embeddings", tied}, {"initializer_range", 0.3}, {"pad_token_id", 0}},
                              "tiny");
}

// An LM head, a reward head behind it, or both, all filled with noise.
Parameters random_parameters(const ModelConfig& config, HeadKind head, bool reward_behind) {
    Parameters parameters = init_parameters(config, head, 5, at::kDouble);
    if (reward_behind) {
        ParameterLayout& layout = parameters.layout;
        layout.tensors.push_back({"score.weight", {1, config.hidden}, layout.total, config.hidden, true});
        layout.total += config.hidden;
        parameters.flat = at::cat({parameters.flat, at::zeros({config.hidden}, parameters.flat.options())});
    }
    if (parameters.layout.contains("score.weight")) init_reward_head(parameters, config, "hf", 9);
    Random random(11);
    double* value = parameters.flat.data_ptr<double>();
    for (std::int64_t i = 0; i < parameters.flat.numel(); ++i) value[i] += 0.1 * random.normal();
    return parameters;
}

// Items of `answers` texts of random tokens with a shared prompt; the second item's first answer is empty.
ItemSet random_items(std::int32_t answers, std::int32_t prompt) {
    Random random(2);
    ItemSet set;
    for (std::int64_t i = 0; i < 4; ++i) {
        set.items.push_back({std::to_string(i), "en", "", static_cast<std::int64_t>(set.answers.size()), answers, 1, 0.0F});
        std::vector<std::int32_t> shared;
        for (std::int32_t t = 0; t < prompt; ++t) shared.push_back(static_cast<std::int32_t>(1 + random.below(29)));
        for (std::int32_t k = 0; k < answers; ++k) {
            const bool empty = prompt > 0 && i == 1 && k == 0;
            const std::int32_t length = prompt + (empty ? 0 : 2 + static_cast<std::int32_t>(random.below(5)));
            set.answers.push_back({static_cast<std::int64_t>(set.tokens.size()), length, prompt});
            set.tokens.insert(set.tokens.end(), shared.begin(), shared.end());
            for (std::int32_t t = prompt; t < length; ++t) set.tokens.push_back(static_cast<std::int32_t>(1 + random.below(29)));
        }
    }
    return set;
}

const std::vector<std::int64_t> kItems = {0, 1, 2, 3};

// (L(w + εd) - L(w - εd)) / 2ε against <gradient, d> for a random direction d.
void expect_gradient_of_loss(Objective& objective, const ModelConfig& config, Parameters& parameters, const ItemSet& set) {
    const Decoder decoder(config, parameters);
    const double scale = 0.25;
    const at::Tensor gradient = at::zeros_like(parameters.flat);
    const StepSums sums = objective.accumulate(decoder, set, kItems, scale, gradient, {});
    EXPECT_NEAR(objective.evaluate(decoder, set, kItems).loss, sums.loss, 1e-12 * std::abs(sums.loss));

    const at::Tensor direction = at::zeros_like(parameters.flat);
    Random random(17);
    for (std::int64_t i = 0; i < direction.numel(); ++i) direction.data_ptr<double>()[i] = random.normal();
    const at::Tensor start = parameters.flat.clone();
    const auto loss_at = [&](double step) {
        parameters.flat.copy_(at::add(start, direction, step));
        return objective.evaluate(decoder, set, kItems).loss;
    };
    const double epsilon = 1e-5;
    const double difference = scale * (loss_at(epsilon) - loss_at(-epsilon)) / (2.0 * epsilon);
    parameters.flat.copy_(start);
    EXPECT_NEAR(at::dot(gradient, direction).item<double>() / difference, 1.0, 1e-6);
}

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
    const StepSums sums = make_bradley_terry({.center_coefficient = 0.05})->evaluate(decoder, set, kItems);
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
        expect_gradient_of_loss(*make_bradley_terry({.center_coefficient = 0.05, .share_prefix = share}), config, parameters, random_items(2, 3));
    }
}

TEST(BradleyTerry, GradientWithAnAuxiliaryLmLossTiedAndUntied) {
    for (const bool tied : {true, false}) {
        const ModelConfig config = tiny_config(tied);
        Parameters parameters = tied ? random_parameters(config, HeadKind::reward, false) : random_parameters(config, HeadKind::lm, true);
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
        const StepSums one = make_language_model()->evaluate(Decoder(config, body), chosen, std::vector<std::int64_t>{item});
        expected += one.loss / one.weight;
    }
    const Decoder decoder(config, reward);
    const StepSums plain = make_bradley_terry({})->evaluate(decoder, pairs, kItems);
    const StepSums with = make_bradley_terry({.lm_coefficient = 0.5})->evaluate(decoder, pairs, kItems);
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
    const StepSums sums = objective->evaluate(Decoder(config, parameters), set, kItems);
    double weight = 0.0;
    for (const std::int64_t item : kItems) weight += objective->item_weight(set, item);
    EXPECT_EQ(sums.weight, weight);
    EXPECT_EQ(sums.weight, static_cast<double>(set.tokens.size()) - 4.0);
    EXPECT_THROW(objective->check(random_items(2, 0)), Error);
    EXPECT_THROW(objective->check(random_items(1, 2)), Error);
}

}  // namespace
}  // namespace xlrm
