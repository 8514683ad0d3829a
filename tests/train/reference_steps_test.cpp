// Whole models with ATen's operators beside xlrm's own kernels: states, 50 training steps, and what the trained models write.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <cstdio>

#include "ops/device_ops.hpp"
#include "train/objective_support.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/ops/adamw.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

constexpr int kSteps = 50;
constexpr double kLr = 2e-3;

struct Run {
    std::vector<at::Tensor> states;  // of every layer, before training
    std::vector<double> losses;
    at::Tensor weights;
    double path = 0.0;  // the lengths of all steps, added up
    std::vector<std::int32_t> text;
};

// Texts of random tokens.
ItemSet documents() {
    Random random(4);
    ItemSet set;
    for (std::int64_t i = 0; i < 4; ++i) {
        const auto length = static_cast<std::int32_t>(20 + 7 * i);
        set.items.push_back({std::to_string(i), "en", "", i, 1, 1, 0.0F});
        set.answers.push_back({std::ssize(set.tokens), length, 0});
        for (std::int32_t t = 0; t < length; ++t) set.tokens.push_back(static_cast<std::int32_t>(1 + random.below(29)));
    }
    return set;
}

// Trains on all items at every step, with the ops of `table`.
Run run_of(const DeviceOps& table, const ModelConfig& config, Objective& objective, HeadKind head, const ItemSet& set) {
    const UseOps use(table);
    Parameters parameters = init_parameters(config, head, 3, at::kFloat);
    if (head == HeadKind::reward) init_reward_head(parameters, config, "paper", 3);
    const Decoder decoder(config, parameters);
    Run run;
    PackedBatch batch = pack(set, kItems);
    send(decoder.device(), {&batch.tokens, &batch.positions});
    decoder.forward(batch, {}, nullptr, [&](std::int64_t, const at::Tensor& x) { run.states.push_back(x.clone()); });
    const at::Tensor gradient = at::zeros_like(parameters.flat), first = at::zeros_like(gradient),
                     second = at::zeros_like(gradient);
    double weight = 0.0;
    for (const std::int64_t item : kItems) weight += objective.item_weight(set, item);
    for (int step = 1; step <= kSteps; ++step) {
        run.losses.push_back(objective.accumulate(decoder, set, kItems, 1.0 / weight, gradient, {}).read().loss / weight);
        const at::Tensor before = parameters.flat.clone();
        adamw({.lr = kLr, .weight_decay = 0.01, .step = step}, parameters.flat, first, second, gradient);
        run.path += std::sqrt(sum_of_squares(parameters.flat - before));
    }
    run.weights = parameters.flat;
    if (head == HeadKind::lm) run.text = generate_greedy(decoder, {1, 5, 9}, 40);
    return run;
}

// In fp32 the two differ by the order of sums: states by 5e-6·max(1, |h|). So do losses, by as much again for each step that was
// taken before. Weights may differ by more: AdamW divides a gradient by its own size, so that an element whose gradient is
// smaller than its error may go the other way, by twice a step. With errors of 1e-6 of a tensor's typical gradient that is one
// element in a million, and 2·sqrt(1e-6) = 2e-3 of a step's length. The loss does not see it: these elements have next to no
// gradient.
void expect_same_run(const Run& own, const Run& other, const std::string& what) {
    ASSERT_EQ(own.states.size(), other.states.size());
    for (std::size_t l = 0; l < own.states.size(); ++l) {
        const at::Tensor error = (own.states[l] - other.states[l]).abs(), bound = own.states[l].abs().clamp_min(1.0) * 5e-6;
        EXPECT_LE((error / bound).max().item<double>(), 1.0) << what << ", layer " << l;
    }
    const double apart = std::sqrt(sum_of_squares(own.weights - other.weights));
    EXPECT_LT(apart, 2e-3 * own.path) << what;
    double worst = 0.0;  // share of the bound
    for (std::size_t i = 0; i < own.losses.size(); ++i) {
        const double bound = 5e-6 * std::max(1.0, own.losses[i]) * static_cast<double>(i + 1);
        EXPECT_NEAR(other.losses[i], own.losses[i], bound) << what << ", step " << i + 1;
        worst = std::max(worst, std::abs(other.losses[i] - own.losses[i]) / bound);
    }
    std::printf("%-12s loss %.4f to %.4f, off by %.3f of the bound; weights apart %.1e of their path\n", what.c_str(),
                own.losses.front(), own.losses.back(), worst, apart / own.path);
    EXPECT_LT(own.losses.back(), 0.9 * own.losses.front()) << what << ": nothing was learnt";
    EXPECT_EQ(own.text, other.text) << what;
}

TEST(ReferenceSteps, TrainAndWriteAsTheOwnKernelsDo) {
    for (const std::string family : {"llama", "mistral", "qwen2", "qwen3", "gemma2"}) {
        const ModelConfig config =
            read_model_config(std::string(XLRM_SOURCE_DIR) + "/tests/fixtures/model/" + family + "/config.json");
        const auto lm = make_language_model();
        expect_same_run(run_of(cpu_ops(), config, *lm, HeadKind::lm, documents()),
                        run_of(reference_ops(), config, *lm, HeadKind::lm, documents()), family + " lm");
        const auto bt = make_bradley_terry({});
        const ItemSet pairs = random_items(2, 12);
        expect_same_run(run_of(cpu_ops(), config, *bt, HeadKind::reward, pairs),
                        run_of(reference_ops(), config, *bt, HeadKind::reward, pairs), family + " bt");
    }
}

}  // namespace
}  // namespace xlrm
