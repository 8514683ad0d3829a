// Language models from nothing, and reward models on top of them.
#include <gtest/gtest.h>

#include "train/training_support.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

void write_config(const std::filesystem::path& path, bool tied) {
    const Json config = {{"model_type", "llama"},          {"hidden_size", 32},        {"intermediate_size", 64},
                         {"num_hidden_layers", 2},         {"num_attention_heads", 4}, {"num_key_value_heads", 2},
                         {"max_position_embeddings", 256}, {"rms_norm_eps", 1e-5},     {"rope_theta", 10000.0},
                         {"tie_word_embeddings", tied}};
    write_file_atomic(path, config.dump());
}

TrainOptions lm_options(const SharedFolder& folder, bool tied) {
    TrainOptions options;
    options.objective = "lm";
    options.model_config = (folder / (tied ? "tied.json" : "untied.json")).string();
    options.tokenizer = (kTrlRun / "model").string();
    options.data = {(folder / "texts.jsonl").string()};
    options.output = (folder / (tied ? "tied" : "untied")).string();
    options.lr = 1e-2;
    options.schedule = "constant";
    options.warmup_ratio = 0.05;
    options.steps = 120;
    options.batch_pairs = 4;
    return options;
}

void write_inputs(const Communicator& world, const SharedFolder& folder) {
    if (world.root()) {
        write_config(folder / "tied.json", true);
        write_config(folder / "untied.json", false);
        write_file_atomic(folder / "texts.jsonl",
                          "{\"text\":\"The quick brown fox jumps over the lazy dog.\"}\n"
                          "{\"text\":\"la volpe veloce\"}\n{\"text\":\"날쌘 여우\"}\n{\"text\":\"zorro\"}\n");
    }
    world.barrier();
}

TEST(Pretrain, MemorisesATextAndCarriesARewardModel) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    write_inputs(world, folder);
    for (const bool tied : {true, false}) {
        const TrainOptions lm = lm_options(folder, tied);
        train(world, lm, {}, true);
        const auto losses = series(read_metrics(std::filesystem::path(lm.output) / "metrics.jsonl"), "loss");
        EXPECT_GT(losses.front(), 5.0);  // ln 258 = 5.55: nothing is known
        // Only the first token of each text, and so which text it is, cannot be known; it is not predicted.
        EXPECT_LT(losses.back(), 0.1) << (tied ? "tied" : "untied");

        TrainOptions bt = trl_options(folder / (tied ? "tied-rm" : "untied-rm"));
        bt.model = lm.output;
        bt.lm_coefficient = 0.5;
        bt.steps = 12;
        bt.lr = 1e-3;
        train(world, bt, {}, true);
        const auto lines = read_metrics(std::filesystem::path(bt.output) / "metrics.jsonl");
        const auto lm_losses = series(lines, "lm_loss");
        ASSERT_EQ(lm_losses.size(), 12U);
        EXPECT_LT(lm_losses.back(), lm_losses.front());
        const SafetensorsFile weights(std::filesystem::path(bt.output) / "model.safetensors");
        EXPECT_TRUE(weights.contains("score.weight"));
        EXPECT_FALSE(weights.contains("lm_head.weight"));
    }
}

TEST(Pretrain, AnAuxiliaryLossWithoutAnLmHeadIsRefused) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "model");
    options.lm_coefficient = 0.5;  // the recorded model is untied and has a reward head alone
    EXPECT_THROW(train(world, options, {}, true), Error);
}

TEST(Pretrain, SplitsLongDocumentsWithoutLosingAToken) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    write_inputs(world, folder);
    TrainOptions options = lm_options(folder, true);
    const auto first_step = [&](std::int64_t max_length) {
        options.output = (folder / ("split-" + std::to_string(max_length))).string();
        options.max_length = max_length;
        options.steps = 1;
        options.batch_pairs = 1000;
        train(world, options, {}, true);
        return read_metrics(std::filesystem::path(options.output) / "metrics.jsonl").at(0);
    };
    const Json whole = first_step(1000);
    const Json pieces = first_step(10);
    EXPECT_EQ(whole["items"], 4);
    // 45, 16, 14 and 6 tokens with EOS: 9 predictions a piece of ten.
    EXPECT_EQ(pieces["items"], 5 + 2 + 2 + 1);
    EXPECT_EQ(pieces["num_tokens"].get<int>() - whole["num_tokens"].get<int>(), 6);  // the overlap of one token
    EXPECT_NEAR(pieces["loss"].get<double>(), whole["loss"].get<double>(), 0.1);
}

TEST(Pretrain, ConcatenatesTranslations) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    write_inputs(world, folder);
    if (world.root())
        write_file_atomic(folder / "parallel.jsonl",
                          "{\"id\":\"a\",\"text\":{\"en\":\"fox\",\"it\":\"volpe\",\"es\":\"zorro\"}}\n");
    world.barrier();
    TrainOptions options = lm_options(folder, true);
    options.data = {(folder / "parallel.jsonl").string()};
    options.steps = 1;
    options.concatenate = true;
    train(world, options, {}, true);
    const Json line = read_metrics(std::filesystem::path(options.output) / "metrics.jsonl").at(0);
    EXPECT_EQ(line["items"], 1);
    EXPECT_EQ(line["num_tokens"], 3 + 5 + 5 + 2 + 1);  // two line ends and EOS
}

TEST(Pretrain, ResumesAndNeedsItsTokenizer) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    write_inputs(world, folder);
    TrainOptions options = lm_options(folder, true);
    options.steps = 6;
    train(world, options, {}, true);
    const std::string whole = read_file(folder / "tied" / "model.safetensors");
    options.output = (folder / "again").string();
    EXPECT_TRUE(train(
                    world, options, [asked = 0]() mutable { return asked++ == 3; }, true)
                    .stopped);
    train(world, options, {}, true);
    EXPECT_EQ(read_file(folder / "again" / "model.safetensors"), whole);
    options.tokenizer.clear();
    EXPECT_THROW(train(world, options, {}, true), Error);
}

}  // namespace
}  // namespace xlrm
