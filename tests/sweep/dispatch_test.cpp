#include "xlrm/sweep/dispatch.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "support/temporary_folder.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {
namespace {

//! Two trainings with three cells each, and three cells of the base.
Plan small_plan() {
    Plan plan;
    plan.tasks = {{TaskKind::train, "b", "en", "", "", 1, -1, 3.0}, {TaskKind::train, "b", "ko", "", "", 1, -1, 3.0}};
    for (const char* target : {"en", "es", "ko"}) {
        plan.tasks.push_back({TaskKind::evaluate, "b", "en", "x", target, 1, 0, 1.0});
        plan.tasks.push_back({TaskKind::evaluate, "b", "ko", "x", target, 1, 1, 1.0});
        plan.tasks.push_back({TaskKind::evaluate, "b", "", "x", target, 0, -1, 1.0});
    }
    return plan;
}

using Work = std::function<TaskOutcome(const Communicator& group, const Task&, const std::function<bool()>& stop)>;

//! A dispatch over all ranks, as a sweep does it, with a work function of its own.
struct Dispatch {
    Plan plan = small_plan();
    TemporaryFolder folder;
    std::vector<bool> done;
    DispatchResult result;           //!< on the root
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
        if (world.root()) server = std::thread([&] { result = serve(channel, groups, plan, done, ledger); });
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
            if (plan.tasks[i].name() == name) return i;
        }
        ADD_FAILURE() << "a task that is not in the plan: " << name;
        return 0;
    }
};

TEST(Dispatch, DoesEveryTaskOnceAndTrainingsBeforeTheirCells) {
    for (const int ranks_per_group : {1, 2}) {
        Dispatch dispatch;
        dispatch.run(ranks_per_group, [](const Communicator& group, const Task&, const std::function<bool()>&) {
            EXPECT_TRUE(group.all(true));  // every rank of the group is here
            return TaskOutcome{};
        });
        EXPECT_EQ(dispatch.runs, std::vector<std::int64_t>(dispatch.plan.tasks.size(), 1));
        if (!Communicator::world().root()) continue;
        EXPECT_EQ(dispatch.result.done, 11);
        EXPECT_EQ(dispatch.result.failed + dispatch.result.left, 0);
        EXPECT_FALSE(dispatch.result.stopped);
        std::set<std::string> ended;
        for (const Json& entry : Ledger(dispatch.folder / "ledger.jsonl").read()) {
            const Task& task = dispatch.plan.tasks[dispatch.index_of(entry.at("task").get<std::string>())];
            if (entry.at("event") == "done") ended.insert(task.name());
            if (entry.at("event") == "started" && task.needs >= 0) {
                EXPECT_TRUE(ended.contains(dispatch.plan.tasks[static_cast<std::size_t>(task.needs)].name())) << task.name();
            }
        }
        EXPECT_EQ(ended.size(), dispatch.plan.tasks.size());
    }
}

TEST(Dispatch, LeavesFinishedTasksAlone) {
    Dispatch dispatch;
    dispatch.done.assign(dispatch.plan.tasks.size(), true);
    dispatch.done[0] = dispatch.done[2] = dispatch.done[4] = false;  // a training, a cell of it, a cell of the base
    dispatch.run(1, [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
    EXPECT_EQ(dispatch.runs, (std::vector<std::int64_t>{1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(Dispatch, AFailureIsDataAndTakesOnlyWhatNeedsIt) {
    Dispatch dispatch;
    dispatch.run(1, [](const Communicator&, const Task& task, const std::function<bool()>&) {
        const bool fails = task.name() == "train b.en.s1" || task.name() == "evaluate b.ko.s1 x.es";
        return TaskOutcome{false, fails ? "no luck with " + task.name() : ""};
    });
    if (!Communicator::world().root()) return;
    EXPECT_EQ(dispatch.result.failed, 5);  // the training, its three cells, one cell more
    EXPECT_EQ(dispatch.result.done, 6);
    EXPECT_EQ(dispatch.result.left, 0);
    ASSERT_EQ(dispatch.result.failures.size(), 5U);
    EXPECT_EQ(dispatch.result.failures[0], "train b.en.s1: no luck with train b.en.s1");
    EXPECT_NE(dispatch.result.failures[1].find("needs \"train b.en.s1\""), std::string::npos);
    int noted = 0;
    for (const Json& entry : Ledger(dispatch.folder / "ledger.jsonl").read()) {
        if (entry.at("event") != "failed") continue;
        ++noted;
        EXPECT_EQ(entry.at("reason"), "no luck with " + entry.at("task").get<std::string>());
    }
    EXPECT_EQ(noted, 2);
}

//! A signal that one rank alone sees while it trains: its training is given back, nothing new starts, and a second dispatch does
//! the rest.
TEST(Dispatch, AStopRequestGivesBackWhatRunsAndTheNextRunGoesOn) {
    const Communicator world = Communicator::world();
    Dispatch first;
    first.run(1, [&](const Communicator&, const Task& task, const std::function<bool()>& stop) {
        if (task.kind != TaskKind::train) return TaskOutcome{};
        if (task.source == "en") request_stop();
        while (!stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return TaskOutcome{true, ""};
    });
    clear_stop();
    EXPECT_EQ(first.runs[0] + first.runs[1], 0);
    const std::string stopped = world.broadcast(world.root() && first.result.stopped ? "stopped" : "");
    EXPECT_EQ(stopped, "stopped");
    if (world.root()) {
        EXPECT_EQ(first.result.left + first.result.done, 11);
    }

    Dispatch second;
    for (const std::int64_t runs : first.runs) second.done.push_back(runs > 0);
    second.run(1, [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
    for (std::size_t i = 0; i < first.runs.size(); ++i)
        EXPECT_EQ(first.runs[i] + second.runs[i], 1) << first.plan.tasks[i].name();
}

//! The disk of the ledger is full, say: no leader may wait for a coordinator that has given up.
TEST(Dispatch, ACoordinatorThatCannotWriteItsLedgerSendsAllGroupsHome) {
    for (const int ranks_per_group : {1, 2}) {
        Dispatch dispatch;
        std::filesystem::create_directories(dispatch.folder / "ledger.jsonl");  // no file can be written there
        dispatch.run(ranks_per_group,
                     [](const Communicator&, const Task&, const std::function<bool()>&) { return TaskOutcome{}; });
        EXPECT_FALSE(dispatch.problem) << dispatch.problem.message;
        if (!Communicator::world().root()) continue;
        EXPECT_EQ(dispatch.result.problem.code, ExitCode::io);
        EXPECT_NE(dispatch.result.problem.message.find("ledger.jsonl"), std::string::npos) << dispatch.result.problem.message;
    }
}

TEST(Dispatch, AGroupThatAnExceptionEndsLeavesTheOthersAndTheCoordinator) {
    const Communicator world = Communicator::world();
    Dispatch dispatch;
    dispatch.run(1, [&](const Communicator&, const Task&, const std::function<bool()>&) {
        if (world.rank() == world.size() - 1) fail("gone");
        return TaskOutcome{};
    });
    EXPECT_EQ(dispatch.problem.message, world.rank() == world.size() - 1 ? "gone" : "");
    if (world.root()) {
        EXPECT_NE(dispatch.result.problem.message.find("left the sweep"), std::string::npos);
    }
}

//! A rank that only evaluates tells of its signal when it asks for the next task.
TEST(Dispatch, AStopRequestDuringACellIsHeardToo) {
    const Communicator world = Communicator::world();
    Dispatch dispatch;
    dispatch.run(1, [&](const Communicator&, const Task& task, const std::function<bool()>&) {
        if (task.kind == TaskKind::evaluate) request_stop();
        return TaskOutcome{};
    });
    clear_stop();
    if (!world.root()) return;
    EXPECT_TRUE(dispatch.result.stopped);
    EXPECT_LE(dispatch.result.done, 2 + 2 * world.size());
    EXPECT_EQ(dispatch.result.failed, 0);
}

}  // namespace
}  // namespace xlrm
