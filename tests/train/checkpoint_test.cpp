#include "xlrm/train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

struct State {
    std::vector<float> weights{1.0F, 2.0F, 3.0F}, first{0.1F, 0.2F, 0.3F}, second{4.0F, 5.0F, 6.0F};
    RunBuffers buffers() { return {weights, first, second}; }
    bool operator==(const State&) const = default;
};

const RunIdentity kIdentity = {{"option", {{"lr", 1e-4}, {"seed", 42}}}, {"data_sha256", "abc"}};

TEST(Checkpoint, ComesBackAsItWasSaved) {
    const TemporaryFolder folder;
    const CheckpointFolder checkpoint(folder / "run.checkpoint");
    State saved, loaded;
    EXPECT_FALSE(checkpoint.load(kIdentity, loaded.buffers()).has_value());
    checkpoint.save(kIdentity, {7, 1000, 123, 2}, saved.buffers());
    loaded = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
    const auto position = checkpoint.load(kIdentity, loaded.buffers());
    ASSERT_TRUE(position.has_value());
    EXPECT_EQ(position->step, 7);
    EXPECT_EQ(position->num_tokens, 1000);
    EXPECT_EQ(position->metrics_bytes, 123);
    EXPECT_EQ(position->ranks, 2);
    EXPECT_EQ(loaded, saved);
}

TEST(Checkpoint, KeepsTheNewestOnly) {
    const TemporaryFolder folder;
    const CheckpointFolder checkpoint(folder / "run.checkpoint");
    State state;
    checkpoint.save(kIdentity, {.step = 1}, state.buffers());
    state.weights[0] = 9.0F;
    checkpoint.save(kIdentity, {.step = 2}, state.buffers());
    EXPECT_FALSE(std::filesystem::exists(folder / "run.checkpoint" / "state-1.safetensors"));
    State loaded;
    EXPECT_EQ(checkpoint.load(kIdentity, loaded.buffers())->step, 2);
    EXPECT_EQ(loaded.weights[0], 9.0F);
    checkpoint.remove();
    EXPECT_FALSE(std::filesystem::exists(folder / "run.checkpoint"));
}

TEST(Checkpoint, AStateWithoutItsManifestIsNone) {
    const TemporaryFolder folder;
    const CheckpointFolder checkpoint(folder / "run.checkpoint");
    State state;
    checkpoint.save(kIdentity, {.step = 1}, state.buffers());
    std::filesystem::remove(folder / "run.checkpoint" / "checkpoint.json");
    EXPECT_FALSE(checkpoint.load(kIdentity, state.buffers()).has_value());
}

TEST(Checkpoint, NamesWhatDiffers) {
    RunIdentity other = kIdentity;
    EXPECT_EQ(identity_difference(kIdentity, other), "");
    other["option"]["seed"] = 43;
    EXPECT_EQ(identity_difference(kIdentity, other), "option seed is 42 there and 43 here");
    other = kIdentity;
    other["data_sha256"] = "def";
    EXPECT_EQ(identity_difference(kIdentity, other), "data_sha256 is \"abc\" there and \"def\" here");
    other = kIdentity;
    other["option"].erase("seed");
    EXPECT_NE(identity_difference(kIdentity, other), "");
}

TEST(Checkpoint, OfAnotherSizeIsRefused) {
    const TemporaryFolder folder;
    const CheckpointFolder checkpoint(folder / "run.checkpoint");
    State state;
    checkpoint.save(kIdentity, {.step = 1}, state.buffers());
    state.weights.push_back(0.0F);
    EXPECT_THROW(checkpoint.load(kIdentity, state.buffers()), Error);
}

}  // namespace
}  // namespace xlrm
