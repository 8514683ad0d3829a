#include "train/lora.hpp"

#include <gtest/gtest.h>

#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros_like.h>

#include "support/expect_error.hpp"
#include "train/training_support.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

TrainOptions lora_options(const std::filesystem::path& output) {
    TrainOptions options = trl_options(output);
    options.lora_rank = 3;
    options.lora_alpha = 6.0;
    return options;
}

std::unique_ptr<TrainingModel> start_model(const TrainOptions& options) {
    return make_training_model(options, *load_tokenizer(kTrlRun / "model"), HeadKind::reward);
}

double dot(const at::Tensor& a, const at::Tensor& b) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < a.numel(); ++i)
        sum += double(a.const_data_ptr<float>()[i]) * double(b.const_data_ptr<float>()[i]);
    return sum;
}

TEST(Lora, BeginsAsTheModelThatItAdapts) {
    const TrainOptions options = lora_options("unused");
    const auto model = start_model(options);
    const at::Tensor before = model->weights.clone();
    LoraAdapters lora(*model, options);
    lora.merge();
    EXPECT_TRUE(model->compute.flat.equal(before));
    // 2 blocks of 7 matrices, A and B each, and the head.
    EXPECT_EQ(lora.trained().compute.layout.tensors.size(), 2U * 7U * 2U + 1U);
}

// W is linear in A (and in B), so d(loss)/dW · ΔW and d(loss)/dA · ΔA are the same number for a change of A alone.
TEST(Lora, ProjectsTheGradientByTheChainRule) {
    const TrainOptions options = lora_options("unused");
    const auto model = start_model(options);
    LoraAdapters lora(*model, options);
    const at::Tensor& weights = lora.trained().weights;
    weights.copy_(at::rand(weights.sizes(), weights.options()).sub_(0.5));
    lora.merge();
    const at::Tensor merged = model->compute.flat.clone();
    const at::Tensor gradient = at::rand(merged.sizes(), merged.options()).sub_(0.5);
    at::Tensor projected = at::zeros_like(weights);
    lora.project(gradient, projected);
    for (const ParameterInfo& info : lora.trained().compute.layout.tensors) {
        const at::Tensor part = weights.narrow(0, info.offset, info.elements), kept = part.clone();
        const at::Tensor change = at::rand(part.sizes(), part.options());
        part.add_(change);
        lora.merge();
        const double expected = dot(gradient, model->compute.flat.sub(merged));
        EXPECT_NEAR(dot(projected.narrow(0, info.offset, info.elements), change), expected,
                    1e-5 * std::max(1.0, std::abs(expected)))
            << info.name;
        part.copy_(kept);
    }
}

TEST(Lora, TrainsAdaptersAndHeadAloneAndSavesBothForms) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const TrainOptions options = [&] {
        TrainOptions o = lora_options(folder / "model");
        o.lora_targets = {"q_proj", "down_proj"};
        return o;
    }();
    const TrainOutcome outcome = train(world, options, {}, true);
    EXPECT_EQ(outcome.steps, 18);
    const SafetensorsFile before(kTrlRun / "model/model.safetensors"), after(folder / "model/model.safetensors");
    const SafetensorsFile adapter(folder / "model/adapter/adapter_model.safetensors");
    EXPECT_EQ(adapter.names().size(), 2U * 2U * 2U + 1U);
    for (const std::string& name : before.names()) {
        const bool trained = name.ends_with("q_proj.weight") || name.ends_with("down_proj.weight") || name == "score.weight";
        EXPECT_EQ(weights_of(before, name) != weights_of(after, name), trained) << name;
    }
}

TEST(Lora, GoesOnFromACheckpointWithTheSameBits) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    train(world, lora_options(folder / "whole"), {}, true);
    const TrainOptions options = lora_options(folder / "stopped");
    for (const int steps : {4, 9}) {
        int asked = 0;
        EXPECT_TRUE(train(
                        world, options, [&] { return ++asked > steps; }, true)
                        .stopped);
    }
    train(world, options, {}, true);
    for (const char* name : {"model.safetensors", "adapter/adapter_model.safetensors"})
        EXPECT_EQ(read_file(folder / "whole" / name), read_file(folder / "stopped" / name)) << name;
}

TEST(Lora, RefusesATargetThatTheModelLacks) {
    TrainOptions options = lora_options("unused");
    options.lora_targets = {"q_proj", "c_attn"};
    const auto model = start_model(options);
    expect_error([&] { LoraAdapters(*model, options); }, {"c_attn", "--lora-targets"});
}

}  // namespace
}  // namespace xlrm
