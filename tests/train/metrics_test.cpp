#include "xlrm/train/metrics.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

TEST(StepRecord, MeansOverItems) {
    StepSums sums;
    sums.loss = 3.0, sums.weight = sums.items = 4.0, sums.correct = 3.0, sums.margin = 2.0;
    sums.reward_sum = 4.0, sums.reward_min = -1.0, sums.reward_max = 2.0, sums.tokens = 100.0;
    sums.rewards = 8.0;
    const auto pairs = make_bradley_terry({}), documents = make_language_model(), responses = make_sft();
    const Json record = step_record(
        {.step = 5, .epoch = 0.5, .grad_norm = 2.5, .learning_rate = 1e-4, .num_tokens = 700, .seconds = 0.5}, sums, *pairs);
    EXPECT_DOUBLE_EQ(record["loss"], 0.75);
    EXPECT_DOUBLE_EQ(record["accuracy"], 0.75);
    EXPECT_DOUBLE_EQ(record["margin"], 0.5);
    EXPECT_DOUBLE_EQ(record["mean_reward"], 0.5);
    EXPECT_DOUBLE_EQ(record["min_reward"], -1.0);
    EXPECT_DOUBLE_EQ(record["max_reward"], 2.0);
    EXPECT_DOUBLE_EQ(record["pairs_per_s"], 8.0);
    EXPECT_DOUBLE_EQ(record["tokens_per_s"], 200.0);
    EXPECT_FALSE(record.contains("lm_loss"));
    EXPECT_FALSE(step_record({.seconds = 1.0}, sums, *documents).contains("accuracy"));
    sums.means[1].add(1.0), sums.means[1].add(0.0, 3.0);
    EXPECT_DOUBLE_EQ(evaluation_record(1, 1.0, sums, *responses, 1.0)["eval_mean_token_accuracy"], 0.25);
}

TEST(SumOverRanks, AddsEachRankOnce) {
    const Communicator world = Communicator::world();
    StepSums mine;
    mine.loss = world.rank() + 1.0;
    mine.items = mine.weight = 1.0;
    mine.reward_min = -world.rank();
    mine.reward_max = world.rank();
    mine.means[9].add(world.rank() + 1.0, 2.0);
    const StepSums total = sum_over_ranks(world, mine);
    const double size = world.size();
    EXPECT_DOUBLE_EQ(total.loss, size * (size + 1.0) / 2.0);
    EXPECT_DOUBLE_EQ(total.items, size);
    EXPECT_DOUBLE_EQ(total.reward_min, 1.0 - size);
    EXPECT_DOUBLE_EQ(total.reward_max, size - 1.0);
    EXPECT_DOUBLE_EQ(total.means[9].sum, size * (size + 1.0));
    EXPECT_DOUBLE_EQ(total.means[9].weight, 2.0 * size);
}

TEST(MetricsFile, CutsWhatLiesBehindTheCheckpoint) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "metrics.jsonl";
    std::int64_t kept = 0;
    {
        MetricsFile file(path, 0);
        file.append({{"step", 1}});
        kept = file.sync();
        file.append({{"step", 2}});
    }
    EXPECT_EQ(read_file(path), "{\"step\":1}\n{\"step\":2}\n");
    MetricsFile(path, kept).append({{"step", 2}, {"again", true}});
    EXPECT_EQ(read_file(path), "{\"step\":1}\n{\"step\":2,\"again\":true}\n");
    EXPECT_THROW(MetricsFile(path, 1000), Error);
}

}  // namespace
}  // namespace xlrm
