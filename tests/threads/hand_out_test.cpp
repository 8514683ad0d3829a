#include "xlrm/sweep/hand_out.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "support/temporary_folder.hpp"
#include "support/thread_ranks.hpp"
#include "sweep/plain_task.hpp"
#include "xlrm/comm/run_job.hpp"

namespace xlrm {
namespace {

constexpr int kTrainings = 3;
constexpr int kCells = 5;  // of each training

Plan some_plan() {
    Plan plan;
    for (const std::string source : {"en", "ko", "es"}) plan.tasks.push_back(plain_task("train " + source, source, 3.0, {}));
    for (int training = 0; training < kTrainings; ++training) {
        const std::string model = plan.tasks[static_cast<std::size_t>(training)]->model();
        for (const std::string target : {"de", "en", "es", "ja", "ko"})
            plan.tasks.push_back(plain_task("evaluate " + model + " " + target, model, 1.0, {training}));
    }
    return plan;
}

//! What a sweep does: rank 0 serves from a thread of its own and works too. Returns the tasks that ran to their end.
int hand_out(int ranks, int ranks_per_group, bool stops, HandOutResult* result) {
    const Plan plan = some_plan();
    const TemporaryFolder folder;
    std::atomic<int> ran = 0;
    run_ranks(ranks, [&](int) {
        const Communicator world = Communicator::world();
        const int groups = world.size() / ranks_per_group;
        const Communicator channel = world.duplicate();
        const Communicator group = world.split(std::min(world.rank() / ranks_per_group, groups), world.rank());
        const Ledger ledger(folder / "ledger.jsonl");
        std::thread server;
        if (world.root())
            server = std::thread(
                [&] { *result = serve(channel, groups, plan, {.done = std::vector<bool>(plan.tasks.size())}, ledger); });
        if (world.rank() < groups * ranks_per_group) {
            work_loop(channel, group, plan, [&](const Task& task, const std::function<bool()>& stop) {
                if (stops && !task.needs.empty()) request_stop();
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                if (group.any(stop())) return TaskOutcome{.returned = true};
                if (group.root()) ++ran;
                return TaskOutcome{.reason = task.name().ends_with("ja") ? "planned failure" : ""};
            });
        }
        if (server.joinable()) server.join();
        world.barrier();
    });
    clear_stop();
    return ran;
}

TEST(ThreadHandOut, EveryTaskRunsOnceWhateverTheGroups) {
    for (const auto& [ranks, ranks_per_group] : {std::pair{1, 1}, {3, 1}, {4, 2}, {5, 2}}) {
        HandOutResult result;
        EXPECT_EQ(hand_out(ranks, ranks_per_group, false, &result), kTrainings + kTrainings * kCells);
        EXPECT_EQ(result.done, kTrainings + kTrainings * (kCells - 1));
        EXPECT_EQ(result.failed, kTrainings);
        EXPECT_EQ(result.left, 0);
    }
}

TEST(ThreadHandOut, AStopReachesEveryGroup) {
    HandOutResult result;
    const int ran = hand_out(4, 1, true, &result);
    EXPECT_TRUE(result.stopped);
    EXPECT_EQ(ran, result.done + result.failed);
    EXPECT_GT(result.left, 0);
}

}  // namespace
}  // namespace xlrm
