#include "xlrm/train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "train/training_support.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {
namespace {

// TRL's own log of the same run, on any number of ranks.
TEST(Train, EqualsTrlsRewardTrainer) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const Json expected = read_json(kTrlRun / "expected.json");
    const TrainOutcome outcome = train(world, trl_options(folder / "model"), {}, true);
    EXPECT_FALSE(outcome.stopped);
    const std::vector<Json> lines = read_metrics(folder / "model" / "metrics.jsonl");
    ASSERT_EQ(lines.size(), expected["steps"].size());
    EXPECT_EQ(outcome.steps, static_cast<std::int64_t>(lines.size()));
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Json& theirs = expected["steps"][i];
        for (const char* key : {"loss", "margin", "mean_reward"}) {
            EXPECT_NEAR(lines[i][key].get<double>(), theirs[key].get<double>(), 2e-6) << key << " at step " << i + 1;
        }
        // One score each, where nothing averages out the order of sums in its 17 steps of history.
        for (const char* key : {"min_reward", "max_reward"}) {
            EXPECT_NEAR(lines[i][key].get<double>(), theirs[key].get<double>(), 5e-6) << key << " at step " << i + 1;
        }
        for (const char* key : {"step", "accuracy", "epoch", "num_tokens"}) {
            EXPECT_NEAR(lines[i][key].get<double>(), theirs[key].get<double>(), 1e-7) << key << " at step " << i + 1;
        }
        EXPECT_NEAR(lines[i]["learning_rate"].get<double>(), theirs["learning_rate"].get<double>(), 1e-15) << "at step " << i + 1;
        EXPECT_NEAR(lines[i]["grad_norm"].get<double>() / theirs["grad_norm"].get<double>(), 1.0, 2e-5) << "at step " << i + 1;
    }
    const SafetensorsFile ours(folder / "model" / "model.safetensors");
    const SafetensorsFile theirs(kTrlRun / "trained.safetensors");
    const SafetensorsFile before(kTrlRun / "model" / "model.safetensors");
    ASSERT_EQ(ours.names(), theirs.names());
    for (const std::string& name : ours.names()) {
        EXPECT_LT(relative_distance(weights_of(ours, name), weights_of(theirs, name), weights_of(before, name)), 1e-3) << name;
    }
}

TEST(Train, LosesNothingWhenRanksShareAStep) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "alone");
    options.steps = 50;
    options.batch_pairs = 11;
    options.center_rewards_coefficient = 0.0;
    const Communicator self = Communicator::self();
    if (world.root()) train(self, options, {}, true);
    world.barrier();
    options.output = (folder / "together").string();
    train(world, options, {}, true);
    const auto alone = series(read_metrics(folder / "alone" / "metrics.jsonl"), "loss");
    const auto together = series(read_metrics(folder / "together" / "metrics.jsonl"), "loss");
    ASSERT_EQ(alone.size(), 50U);
    ASSERT_EQ(together.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(alone[i], together[i], 2e-6) << "step " << i + 1;
}

TEST(Train, RanksWithoutItemsTakePartAndChangeNothing) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "alone");
    options.batch_pairs = 1;  // with more than one rank, all but one have nothing to do
    options.steps = 5;
    const Communicator self = Communicator::self();
    if (world.root()) train(self, options, {}, true);
    world.barrier();
    options.output = (folder / "together").string();
    train(world, options, {}, true);
    const auto alone = read_metrics(folder / "alone" / "metrics.jsonl");
    const auto together = read_metrics(folder / "together" / "metrics.jsonl");
    for (const char* key : {"loss", "grad_norm", "accuracy", "items", "num_tokens"})
        EXPECT_EQ(series(alone, key), series(together, key)) << key;
    EXPECT_EQ(read_file(folder / "alone" / "model.safetensors"), read_file(folder / "together" / "model.safetensors"));
}

TEST(Train, AccumulationAndPrefixSharingChangeOnlyTheLastBits) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const auto losses = [&](const std::string& name, std::int64_t budget, bool share) {
        TrainOptions options = trl_options(folder / name);
        options.token_budget = budget;
        options.share_prefix = share;
        train(world, options, {}, true);
        return read_metrics(folder / name / "metrics.jsonl");
    };
    const auto whole = losses("whole", 8192, true);
    const auto split = losses("split", 60, true);
    const auto unshared = losses("unshared", 8192, false);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_NEAR(whole[i]["loss"].get<double>(), split[i]["loss"].get<double>(), 2e-6);
        EXPECT_NEAR(whole[i]["loss"].get<double>(), unshared[i]["loss"].get<double>(), 2e-6);
        EXPECT_LT(whole[i]["physical_tokens"].get<double>(), unshared[i]["physical_tokens"].get<double>());
    }
}

TEST(Train, EvaluatesEachItemOnceOnAnyRankCount) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "model");
    options.steps = 4;
    options.eval_data = options.data;
    options.eval_every = 2;
    options.lr = 0.0;
    const TrainOutcome outcome = train(world, options, {}, true);
    const auto lines = read_metrics(folder / "model" / "metrics.jsonl");
    const auto accuracy = series(lines, "eval_accuracy");
    ASSERT_EQ(accuracy.size(), 2U);
    EXPECT_EQ(series(lines, "eval_items"), (std::vector<double>{44.0, 44.0}));
    EXPECT_DOUBLE_EQ(outcome.eval_accuracy, accuracy.back());
    // At rate 0 an epoch's training metrics are those of the evaluation.
    TrainOptions epoch = options;
    epoch.output = (folder / "epoch").string();
    epoch.eval_data.clear();
    epoch.eval_every = 0;
    epoch.steps = 0;
    epoch.epochs = 1.0;
    train(world, epoch, {}, true);
    double correct = 0.0, loss = 0.0;
    for (const Json& line : read_metrics(folder / "epoch" / "metrics.jsonl")) {
        correct += line["accuracy"].get<double>() * line["items"].get<double>();
        loss += line["loss"].get<double>() * line["items"].get<double>();
    }
    EXPECT_DOUBLE_EQ(accuracy.back(), correct / 44.0);
    EXPECT_NEAR(series(lines, "eval_loss").back(), loss / 44.0, 1e-6);
}

TEST(Train, ComputesInBfloat16WithFp32Masters) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "model");
    options.dtype = "bf16";
    train(world, options, {}, true);
    const Json expected = read_json(kTrlRun / "expected.json");
    const auto losses = series(read_metrics(folder / "model" / "metrics.jsonl"), "loss");
    ASSERT_EQ(losses.size(), expected["steps"].size());
    for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected["steps"][i]["loss"].get<double>(), 0.03) << i;
    EXPECT_EQ(SafetensorsFile(folder / "model" / "model.safetensors").tensor("score.weight").dtype, DType::bf16);
}

TEST(Train, RecordsWhatTheModelWasMadeFrom) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "model");
    options.steps = 1;
    train(world, options, {}, true);
    const Json notes = read_json(folder / "model" / "xlrm.json");
    EXPECT_EQ(notes["pooling"], "last");
    EXPECT_EQ(notes["template"], "none");
    EXPECT_EQ(notes["source"], "en");
    EXPECT_EQ(notes["data"]["items"], 44);
    EXPECT_EQ(notes["data"]["input_sha256"].size(), 1U);
    EXPECT_FALSE(std::filesystem::exists(folder / "model.checkpoint"));
}

TEST(Train, StopsBeforeItLosesWhatIsThere) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    TrainOptions options = trl_options(folder / "model");
    options.steps = 1;
    if (world.root()) write_file_atomic(folder / "model" / "precious.txt", "mine");
    world.barrier();
    EXPECT_THROW(train(world, options, {}, true), Error);
    EXPECT_EQ(read_file(folder / "model" / "precious.txt"), "mine");
    options.output = (folder / "fresh").string();
    train(world, options, {}, true);
    // The same run is not repeated, another one does not replace it unless asked to.
    EXPECT_EQ(train(world, options, {}, true).steps, 1);
    options.lr = 3e-4;
    EXPECT_THROW(train(world, options, {}, true), Error);
    options.resume = "never";
    EXPECT_EQ(train(world, options, {}, true).steps, 1);
}

}  // namespace
}  // namespace xlrm
