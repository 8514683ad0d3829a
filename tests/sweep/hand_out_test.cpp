#include "xlrm/sweep/hand_out.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "plain_task.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {
namespace {

//! Two trainings with three cells each, and three cells of the base.
Plan small_plan() {
    Plan plan;
    plan.tasks = {plain_task("train b.en.s1", "b.en.s1", 3.0, {}), plain_task("train b.ko.s1", "b.ko.s1", 3.0, {})};
    for (const std::string target : {"en", "es", "ko"}) {
        plan.tasks.push_back(plain_task("evaluate b.en.s1 x." + target, "b.en.s1", 1.0, {0}));
        plan.tasks.push_back(plain_task("evaluate b.ko.s1 x." + target, "b.ko.s1", 1.0, {1}));
        plan.tasks.push_back(plain_task("evaluate b x." + target, "b", 1.0, {}));
    }
    return plan;
}

using Work = std::function<TaskOutcome(const Communicator& group, const Task&, const std::function<bool()>& stop)>;

//! A handing out over all ranks, as a sweep does it, with a work function of its own.
struct HandOut {
    Plan plan = small_plan();
    TemporaryFolder folder;
    std::vector<bool> done;
    HandOutResult result;            //!< on the root
    Problem problem;                 //!< what ended this rank's group
    std::vector<std::int64_t> runs;  //!< how often each task ran to its end, over all groups

    void run(int ranks_per_group, const Work& work) {
        const Communicator world = Communicator::world();
        const int size = std::min(ranks_per_group, world.size());
        const int groups = world.size() / size;
        const bool works = world.rank() < groups * size;
        const Communicator channel = world.duplicate();
        const Communicator group = world.split(works ? world.rank() / size : groups, world.rank());
        if (done.empty()) done.assign(plan.tasks.size(), false);
        runs.assign(plan.tasks.size(), 0);
        const Ledger ledger(folder / "ledger.jsonl");
        std::thread server;
        if (world.root()) server = std::thread([&] { result = serve(channel, groups, plan, {.done = done}, ledger); });
        if (works) {
            problem = attempt([&] {
                work_loop(channel, group, plan, [&](const Task& task, const std::function<bool()>& stop) {
                    const TaskOutcome outcome = work(group, task, stop);
                    if (group.root() && !outcome.returned) ++runs[index_of(task.name())];
                    return outcome;
                });
            });
        }
        if (server.joinable()) server.join();
        world.barrier();
        world.sum(std::span(runs));
    }

    std::size_t index_of(const std::string& name) const {
        for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
            if (plan.tasks[i]->name() == name) return i;
        }
        ADD_FAILURE() << "a task that is not in the plan: " << name;
        return 0;
    }
};

TEST(HandOut, DoesEveryTaskOnceAndTrainingsBeforeTheirCells) {
    for (const int ranks_per_group : {1, 2}) {
        HandOut hand_out;
        hand_out.run(ranks_per_group, [](const Communicator& group, const Task&, const std::function<bool()>&) {
            EXPECT_TRUE(group.all(true));  // every rank of the group is here
            return TaskOutcome{};
        });
        EXPECT_EQ(hand_out.runs, std::vector<std::int64_t>(hand_out.plan.tasks.size(), 1));
        if (!Communicator::world().root()) continue;
        EXPECT_EQ(hand_out.result.done, 11);
        EXPECT_EQ(hand_out.result.failed + hand_out.result.left, 0);
        EXPECT_FALSE(hand_out.result.stopped);
        std::set<std::string> ended;
        for (const Json& entry : Ledger(hand_out.folder / "ledger.jsonl").read()) {
            const Task& task = *hand_out.plan.tasks[hand_out.index_of(entry.at("task").get<std::string>())];
            if (entry.at("event") == "done") ended.insert(task.name());
            if (entry.at("event") != "started") continue;
            for (const int need : task.needs) EXPECT_TRUE(ended.contains(hand_out.plan.task(need).name())) << task.name();
        }
        EXPECT_EQ(ended.size(), hand_out.plan.tasks.size());
    }
}

TEST(HandOut, LeavesFinishedTasksAlone) {
    HandOut hand_out;
    hand_out.done.assign(hand_out.plan.tasks.size(), true);
    hand_out.done[0] = hand_out.done[2] = hand_out.done[4] = false;  // a training, a cell of it, a cell of the base
    hand_out.run(1, [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
    EXPECT_EQ(hand_out.runs, (std::vector<std::int64_t>{1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(HandOut, AFailureIsDataAndTakesOnlyWhatNeedsIt) {
    HandOut hand_out;
    hand_out.run(1, [](const Communicator&, const Task& task, const std::function<bool()>&) {
        const bool fails = task.name() == "train b.en.s1" || task.name() == "evaluate b.ko.s1 x.es";
        return TaskOutcome{.reason = fails ? "no luck with " + task.name() : ""};
    });
    if (!Communicator::world().root()) return;
    EXPECT_EQ(hand_out.result.failed, 5);  // the training, its three cells, one cell more
    EXPECT_EQ(hand_out.result.done, 6);
    EXPECT_EQ(hand_out.result.left, 0);
    ASSERT_EQ(hand_out.result.failures.size(), 5U);
    EXPECT_EQ(hand_out.result.failures[0], "train b.en.s1: no luck with train b.en.s1");
    EXPECT_NE(hand_out.result.failures[1].find("needs \"train b.en.s1\""), std::string::npos);
    int noted = 0;
    for (const Json& entry : Ledger(hand_out.folder / "ledger.jsonl").read()) {
        if (entry.at("event") != "failed") continue;
        ++noted;
        EXPECT_EQ(entry.at("reason"), "no luck with " + entry.at("task").get<std::string>());
    }
    EXPECT_EQ(noted, 2);
}

//! A signal that one rank alone sees while it trains: its training is given back, nothing new starts, and a second one does
//! the rest.
TEST(HandOut, AStopRequestGivesBackWhatRunsAndTheNextRunGoesOn) {
    const Communicator world = Communicator::world();
    HandOut first;
    first.run(1, [&](const Communicator&, const Task& task, const std::function<bool()>& stop) {
        if (!task.name().starts_with("train")) return TaskOutcome{};
        if (task.model() == "b.en.s1") request_stop();
        while (!stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return TaskOutcome{.returned = true};
    });
    clear_stop();
    EXPECT_EQ(first.runs[0] + first.runs[1], 0);
    const std::string stopped = world.broadcast(world.root() && first.result.stopped ? "stopped" : "");
    EXPECT_EQ(stopped, "stopped");
    if (world.root()) {
        EXPECT_EQ(first.result.left + first.result.done, 11);
    }

    HandOut second;
    for (const std::int64_t runs : first.runs) second.done.push_back(runs > 0);
    second.run(1, [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
    for (std::size_t i = 0; i < first.runs.size(); ++i)
        EXPECT_EQ(first.runs[i] + second.runs[i], 1) << first.plan.tasks[i]->name();
}

//! Nothing of the grid can be without it: nothing more is begun, and its error is the sweep's.
TEST(HandOut, AnEssentialTaskThatFailsEndsAll) {
    HandOut hand_out;
    const auto base = plain_task("pretrain b", "b", 9.0, {});
    base->all_need_it = true;
    hand_out.plan.tasks.insert(hand_out.plan.tasks.begin(), base);
    for (std::size_t i = 1; i < hand_out.plan.tasks.size(); ++i) {
        const Task& task = *hand_out.plan.tasks[i];
        hand_out.plan.tasks[i] = plain_task(task.name(), task.model(), task.cost, {0});
    }
    hand_out.run(1, [](const Communicator&, const Task& task, const std::function<bool()>&) {
        EXPECT_EQ(task.name(), "pretrain b");
        return TaskOutcome{.reason = "no space", .code = ExitCode::io};
    });
    if (!Communicator::world().root()) return;
    EXPECT_EQ(hand_out.result.problem.message, "no space");
    EXPECT_EQ(hand_out.result.problem.code, ExitCode::io);
    EXPECT_EQ(hand_out.result.done, 0);
}

TEST(HandOut, WhatATaskSaysOfItselfIsInTheLedger) {
    HandOut hand_out;
    hand_out.run(1, [](const Communicator&, const Task&, const std::function<bool()>&) {
        return TaskOutcome{.facts = {{"rows_tokenised", 7}}};
    });
    if (!Communicator::world().root()) return;
    std::int64_t rows = 0;
    for (const Json& entry : Ledger(hand_out.folder / "ledger.jsonl").read())
        rows += entry.value("rows_tokenised", std::int64_t{0});
    EXPECT_EQ(rows, 77);
}

//! The disk of the ledger is full, say: no leader may wait for a coordinator that has given up.
TEST(HandOut, ACoordinatorThatCannotWriteItsLedgerSendsAllGroupsHome) {
    for (const int ranks_per_group : {1, 2}) {
        HandOut hand_out;
        std::filesystem::create_directories(hand_out.folder / "ledger.jsonl");  // no file can be written there
        hand_out.run(ranks_per_group,
                     [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
        EXPECT_FALSE(hand_out.problem) << hand_out.problem.message;
        if (!Communicator::world().root()) continue;
        EXPECT_EQ(hand_out.result.problem.code, ExitCode::io);
        EXPECT_NE(hand_out.result.problem.message.find("ledger.jsonl"), std::string::npos) << hand_out.result.problem.message;
    }
}

TEST(HandOut, AGroupThatAnExceptionEndsLeavesTheOthersAndTheCoordinator) {
    const Communicator world = Communicator::world();
    HandOut hand_out;
    hand_out.run(1, [&](const Communicator&, const Task&, const std::function<bool()>&) {
        if (world.rank() == world.size() - 1) fail("gone");
        return TaskOutcome{};
    });
    EXPECT_EQ(hand_out.problem.message, world.rank() == world.size() - 1 ? "gone" : "");
    if (world.root()) {
        EXPECT_NE(hand_out.result.problem.message.find("left the sweep"), std::string::npos);
    }
}

//! A rank that only evaluates tells of its signal when it asks for the next task.
TEST(HandOut, AStopRequestDuringACellIsHeardToo) {
    const Communicator world = Communicator::world();
    HandOut hand_out;
    hand_out.run(1, [&](const Communicator&, const Task& task, const std::function<bool()>&) {
        if (task.name().starts_with("evaluate")) request_stop();
        return TaskOutcome{};
    });
    clear_stop();
    if (!world.root()) return;
    EXPECT_TRUE(hand_out.result.stopped);
    EXPECT_LE(hand_out.result.done, 2 + 2 * world.size());
    EXPECT_EQ(hand_out.result.failed, 0);
}

}  // namespace
}  // namespace xlrm
