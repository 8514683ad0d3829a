#pragma once

#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>

#include "xlrm/core/random.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {

inline ModelConfig tiny_config(bool tied) {
    return parse_model_config({{"model_type", "llama"},
                               {"hidden_size", 16},
                               {"intermediate_size", 24},
                               {"num_hidden_layers", 2},
                               {"num_attention_heads", 4},
                               {"num_key_value_heads", 2},
                               {"vocab_size", 30},
                               {"max_position_embeddings", 64},
                               {"rms_norm_eps", 1e-5},
                               {"tie_word_embeddings", tied},
                               {"initializer_range", 0.3},
                               {"pad_token_id", 0}},
                              "tiny");
}

//! An LM head, a reward head behind it, or both, all filled with noise.
inline Parameters random_parameters(const ModelConfig& config, HeadKind head, bool reward_behind) {
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

//! Items of `answers` texts of random tokens with a shared prompt; the second item's first answer is empty.
inline ItemSet random_items(std::int32_t answers, std::int32_t prompt) {
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

inline const std::vector<std::int64_t> kItems = {0, 1, 2, 3};

//! (L(w + εd) - L(w - εd)) / 2ε against <gradient, d> for a random direction d.
inline void expect_gradient_of_loss(Objective& objective, const ModelConfig& config, Parameters& parameters, const ItemSet& set) {
    const Decoder decoder(config, parameters);
    const double scale = 0.25;
    const at::Tensor gradient = at::zeros_like(parameters.flat);
    const StepSums sums = objective.accumulate(decoder, set, kItems, scale, gradient, {}).read();
    EXPECT_NEAR(objective.evaluate(decoder, set, kItems).read().loss, sums.loss, 1e-12 * std::abs(sums.loss));

    const at::Tensor direction = at::zeros_like(parameters.flat);
    Random random(17);
    for (std::int64_t i = 0; i < direction.numel(); ++i) direction.data_ptr<double>()[i] = random.normal();
    const at::Tensor start = parameters.flat.clone();
    const auto loss_at = [&](double step) {
        parameters.flat.copy_(at::add(start, direction, step));
        return objective.evaluate(decoder, set, kItems).read().loss;
    };
    const double epsilon = 1e-5;
    const double difference = scale * (loss_at(epsilon) - loss_at(-epsilon)) / (2.0 * epsilon);
    parameters.flat.copy_(start);
    EXPECT_NEAR(at::dot(gradient, direction).item<double>() / difference, 1.0, 1e-6);
}

}  // namespace xlrm
