#include "train/activation_plan.hpp"

#include <gtest/gtest.h>

#include "train/training_support.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/model/model_folder.hpp"

namespace xlrm {
namespace {

ModelConfig wide_config() {
    ModelConfig config;
    config.hidden = 768, config.layers = 12, config.heads = 12, config.kv_heads = 4, config.head_dim = 64,
    config.intermediate = 2048;
    return config;
}

TEST(ActivationPlan, KeepsWhatFits) {
    const ModelConfig config = wide_config();
    const auto needed = [&](Keep keep) {
        const ActivationBytes bytes = activation_bytes(config, at::kBFloat16, keep);
        return 1000.0 * (bytes.kept + bytes.beside) / 0.8;
    };
    const auto plan = [&](double available) { return plan_activations("auto", config, at::kBFloat16, 1000.0, available); };
    EXPECT_EQ(plan(1.01 * needed(Keep::full)), Keep::full);
    EXPECT_EQ(plan(0.99 * needed(Keep::full)), Keep::cheap);
    EXPECT_EQ(plan(0.99 * needed(Keep::cheap)), Keep::inputs);
    EXPECT_EQ(plan(1.0), Keep::inputs);
    EXPECT_EQ(plan(0.0), Keep::full);  // not known
    EXPECT_LT(needed(Keep::inputs), 0.5 * needed(Keep::cheap));
    EXPECT_EQ(plan_activations("blocks", config, at::kBFloat16, 1.0, 1e15), Keep::inputs);
    EXPECT_EQ(plan_activations("none", config, at::kBFloat16, 1e15, 1.0), Keep::full);
}

TEST(ActivationPlan, ChangesNoBit) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    std::vector<std::string> weights;
    for (const char* dtype : {"fp32", "bf16"})
        for (const char* recompute : {"none", "cheap", "blocks"}) {
            TrainOptions options = trl_options(folder / (std::string(dtype) + recompute));
            options.dtype = dtype;
            options.recompute = recompute;
            options.steps = 4;
            train(
                world, options, [] { return false; }, true);
            weights.push_back(read_file(std::filesystem::path(options.output) / "model.safetensors"));
        }
    EXPECT_EQ(weights[0], weights[1]);
    EXPECT_EQ(weights[0], weights[2]);
    EXPECT_EQ(weights[3], weights[4]);
    EXPECT_EQ(weights[3], weights[5]);
    EXPECT_NE(weights[0], weights[3]);
}

}  // namespace
}  // namespace xlrm
