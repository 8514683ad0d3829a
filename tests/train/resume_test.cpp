#include <gtest/gtest.h>

#include <fstream>

#include "train/training_support.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kSteps = 20;  // into the fourth epoch

// Asked between steps, from 0 on: stops the run when `steps` are done.
StopCheck stop_after(std::int64_t steps) {
    return [steps, asked = std::int64_t{0}]() mutable { return asked++ == steps; };
}

TrainOptions options_for(const std::filesystem::path& output) {
    TrainOptions options = trl_options(output);
    options.eval_data = options.data;
    options.eval_every = 5;
    options.steps = kSteps;
    return options;
}

// All that does not depend on time.
std::vector<std::string> timeless(std::vector<Json> lines) {
    std::vector<std::string> out;
    for (Json& line : lines) {
        for (auto entry = line.begin(); entry != line.end();) {
            entry = entry.key().ends_with("_s") ? line.erase(entry) : std::next(entry);
        }
        out.push_back(line.dump());
    }
    return out;
}

void expect_equal_runs(const std::filesystem::path& one, const std::filesystem::path& two) {
    EXPECT_EQ(timeless(read_metrics(one / "metrics.jsonl")), timeless(read_metrics(two / "metrics.jsonl")));
    for (const char* name : {"model.safetensors", "config.json", "xlrm.json"})
        EXPECT_EQ(read_file(one / name), read_file(two / name)) << name;
}

TEST(Resume, IsBitEqualToAnUninterruptedRunAtEveryStep) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    train(world, options_for(folder / "whole"), {}, true);
    for (std::int64_t stop = 0; stop < kSteps; ++stop) {
        const std::string name = "stopped-" + std::to_string(stop);
        const TrainOutcome first = train(world, options_for(folder / name), stop_after(stop), true);
        EXPECT_TRUE(first.stopped);
        EXPECT_EQ(first.steps, stop);
        EXPECT_FALSE(std::filesystem::exists(folder / name));
        const TrainOutcome second = train(world, options_for(folder / name), {}, true);
        EXPECT_FALSE(second.stopped);
        EXPECT_EQ(second.steps, kSteps);
        expect_equal_runs(folder / "whole", folder / name);
    }
}

TEST(Resume, SeveralTimesAndAfterUncheckpointedSteps) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    train(world, options_for(folder / "whole"), {}, true);
    const TrainOptions options = options_for(folder / "often");
    EXPECT_EQ(train(world, options, stop_after(3), true).steps, 3);
    EXPECT_EQ(train(world, options, stop_after(0), true).steps, 3);
    EXPECT_EQ(train(world, options, stop_after(4), true).steps, 7);
    // Lines of steps that no checkpoint holds, as a killed run leaves them.
    if (world.root()) append_line(folder / "often.checkpoint" / "metrics.jsonl", "{\"step\":8,\"loss\":99.0}");
    world.barrier();
    train(world, options, {}, true);
    expect_equal_runs(folder / "whole", folder / "often");
}

// A version that published the model before its training.json left this behind when it was killed between, before any checkpoint.
TEST(Resume, AModelWithoutItsSummaryIsMadeAgain) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    train(world, options_for(folder / "whole"), {}, true);
    train(world, options_for(folder / "killed"), {}, true);
    if (world.root()) {
        std::filesystem::create_directories(folder / "killed.checkpoint");
        std::filesystem::rename(folder / "killed" / "metrics.jsonl", folder / "killed.checkpoint" / "metrics.jsonl");
        std::filesystem::remove(folder / "killed" / "training.json");
    }
    world.barrier();
    EXPECT_EQ(train(world, options_for(folder / "killed"), {}, true).steps, kSteps);
    expect_equal_runs(folder / "whole", folder / "killed");
    EXPECT_FALSE(std::filesystem::exists(folder / "killed.checkpoint"));
}

TEST(Resume, StopsWhenAnyRankIsAsked) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const StopCheck none = [] { return false; };
    const bool last = world.rank() == world.size() - 1;
    EXPECT_EQ(train(world, options_for(folder / "model"), last ? stop_after(2) : none, true).steps, 2);
}

// The message with which train() refuses, on every rank.
std::string refusal(const Communicator& world, const TrainOptions& options) {
    try {
        train(world, options, {}, true);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

void change_byte(const std::filesystem::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at, at < 0 ? std::ios::end : std::ios::beg);
    const auto place = file.tellg();
    const char old = static_cast<char>(file.get());
    file.seekp(place);
    file.put(static_cast<char>(old ^ 1));
}

TEST(Resume, RefusesADamagedCheckpointByName) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const TrainOptions options = options_for(folder / "model");
    const auto checkpoint = folder / "model.checkpoint";
    train(world, options, stop_after(2), true);
    if (world.root()) change_byte(checkpoint / "state-2.safetensors", -10);
    world.barrier();
    EXPECT_NE(refusal(world, options).find("state-2.safetensors: the checkpoint is damaged"), std::string::npos)
        << refusal(world, options);
    world.barrier();
    if (world.root()) change_byte(checkpoint / "state-2.safetensors", -10);
    if (world.root()) change_byte(checkpoint / "checkpoint.json", 200);
    world.barrier();
    EXPECT_NE(refusal(world, options).find("checkpoint.json: the checkpoint is damaged"), std::string::npos)
        << refusal(world, options);
    world.barrier();
    if (world.root()) change_byte(checkpoint / "checkpoint.json", 200);
    if (world.root()) std::filesystem::resize_file(checkpoint / "metrics.jsonl", 10);
    world.barrier();
    EXPECT_NE(refusal(world, options).find("metrics.jsonl"), std::string::npos) << refusal(world, options);
    world.barrier();
    if (world.root()) std::filesystem::remove(checkpoint / "state-2.safetensors");
    world.barrier();
    EXPECT_NE(refusal(world, options).find("state is missing"), std::string::npos) << refusal(world, options);
}

TEST(Resume, RefusesACheckpointOfAnotherRunByName) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const TrainOptions options = options_for(folder / "model");
    train(world, options, stop_after(2), true);
    TrainOptions other = options;
    other.lr = 2e-4;
    EXPECT_NE(refusal(world, other).find("option lr is 0.0001 there and 0.0002 here"), std::string::npos)
        << refusal(world, other);
    other = options;
    other.wire = "bf16";
    EXPECT_NE(refusal(world, other).find("option wire is \"fp32\" there and \"bf16\" here"), std::string::npos)
        << refusal(world, other);
    // The same file name with other rows.
    if (world.root()) {
        std::string rows = read_file(kTrlRun / "pairs.jsonl");
        rows.resize(rows.rfind('\n', rows.size() - 2) + 1);
        write_file_atomic(folder / "pairs.jsonl", rows);
    }
    world.barrier();
    other = options;
    other.data = {(folder / "pairs.jsonl").string()};
    EXPECT_NE(refusal(world, other).find("data_sha256"), std::string::npos) << refusal(world, other);
    other.resume = "never";
    EXPECT_EQ(train(world, other, {}, true).steps, kSteps);
}

TEST(Resume, OnAnotherRankCountKeepsTheOrderOfExamples) {
    const Communicator world = Communicator::world();
    const SharedFolder folder(world);
    const Communicator self = Communicator::self();
    const TrainOptions options = options_for(folder / "model");
    if (world.root()) train(self, options, stop_after(4), true);
    world.barrier();
    train(world, options, {}, true);
    train(world, options_for(folder / "whole"), {}, true);
    const auto one = series(read_metrics(folder / "model" / "metrics.jsonl"), "loss");
    const auto two = series(read_metrics(folder / "whole" / "metrics.jsonl"), "loss");
    ASSERT_EQ(one.size(), two.size());
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], two[i], 2e-6);
}

}  // namespace
}  // namespace xlrm
