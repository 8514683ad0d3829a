#include "xlrm/sweep/coordinator.hpp"

#include <gtest/gtest.h>

#include <set>

#include "plain_task.hpp"

namespace xlrm {
namespace {

//! Two trainings (one three times as long), two cells each, one base cell.
Plan small_plan() {
    Plan plan;
    plan.tasks = {plain_task("train b.en.s1", "b.en.s1", 3.0, {}),
                  plain_task("train b.all.s1", "b.all.s1", 9.0, {}),
                  plain_task("evaluate b.en.s1 x.en", "b.en.s1", 1.0, {0}),
                  plain_task("evaluate b.en.s1 x.ko", "b.en.s1", 1.0, {0}),
                  plain_task("evaluate b.all.s1 x.en", "b.all.s1", 1.0, {1}),
                  plain_task("evaluate b.all.s1 x.ko", "b.all.s1", 1.0, {1}),
                  plain_task("evaluate b x.en", "b", 1.0, {})};
    return plan;
}

TEST(Coordinator, HandsOutTheLongestReadyTaskFirst) {
    const Plan plan = small_plan();
    Coordinator coordinator(plan, {});
    EXPECT_EQ(coordinator.next(""), 1);
    EXPECT_EQ(coordinator.next(""), 0);
    EXPECT_EQ(coordinator.next(""), 6);
    EXPECT_EQ(coordinator.next(""), std::nullopt);
    coordinator.finished(0);
    EXPECT_EQ(coordinator.next(""), 2);
}

TEST(Coordinator, PrefersCellsOfTheLoadedModelAmongEquals) {
    const Plan plan = small_plan();
    Coordinator coordinator(plan, {.done = {true, true, false, false, false, false, false}});
    EXPECT_EQ(coordinator.next("b.all.s1"), 4);
    EXPECT_EQ(coordinator.next("b.all.s1"), 5);
    EXPECT_EQ(coordinator.next("b.all.s1"), 2);
}

TEST(Coordinator, FailureTakesTheCellsThatNeedItAndNothingElse) {
    const Plan plan = small_plan();
    Coordinator coordinator(plan, {});
    EXPECT_EQ(coordinator.next(""), 1);
    coordinator.failed(1, "no memory");
    EXPECT_EQ(coordinator.state(4), TaskState::failed);
    EXPECT_EQ(coordinator.state(5), TaskState::failed);
    EXPECT_NE(coordinator.reason(4).find("train b.all.s1"), std::string::npos);
    EXPECT_EQ(coordinator.state(2), TaskState::waiting);
    EXPECT_EQ(coordinator.count(TaskState::failed), 3);
}

TEST(Coordinator, ReturnedTaskIsHandedOutAgain) {
    const Plan plan = small_plan();
    Coordinator coordinator(plan, {});
    EXPECT_EQ(coordinator.next(""), 1);
    coordinator.returned(1);
    EXPECT_EQ(coordinator.next(""), 1);
}

TEST(Coordinator, AnyInterleavingOfGroupsDoesEveryTaskOnce) {
    const Plan plan = small_plan();
    for (const std::size_t groups : {1U, 2U, 3U, 5U}) {
        Coordinator coordinator(plan, {});
        std::multiset<int> seen;
        std::vector<int> running;
        while (!coordinator.settled()) {
            while (running.size() < groups) {
                const std::optional<int> task = coordinator.next("");
                if (!task) break;
                for (const int need : plan.task(*task).needs) EXPECT_EQ(coordinator.state(need), TaskState::done);
                running.push_back(*task);
            }
            ASSERT_FALSE(running.empty());
            coordinator.finished(running.front());
            seen.insert(running.front());
            running.erase(running.begin());
        }
        EXPECT_EQ(seen.size(), plan.tasks.size());
        EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), plan.tasks.size());
    }
}

TEST(Coordinator, WaitsForAllThatATaskNeeds) {
    Plan plan;
    plan.tasks = {plain_task("rows", "", 1.0, {}), plain_task("model", "m", 2.0, {}), plain_task("cell", "m", 9.0, {0, 1})};
    Coordinator coordinator(plan, {});
    EXPECT_EQ(coordinator.next(""), 1);
    coordinator.finished(1);
    EXPECT_EQ(coordinator.next("m"), 0);
    EXPECT_EQ(coordinator.next("m"), std::nullopt);
    coordinator.failed(0, "no rows");
    EXPECT_EQ(coordinator.state(2), TaskState::failed);
    EXPECT_TRUE(coordinator.settled());
}

TEST(Coordinator, HandsOutTheTasksOfAStageAloneAndKeepsEarlierFailures) {
    const Plan plan = small_plan();
    PlanState state;
    state.done = {true, false, false, false, false, false, false};
    state.now = {true, true, true, false, false, false, false};
    state.failed[1] = "no luck";
    Coordinator coordinator(plan, state);
    EXPECT_EQ(coordinator.next(""), 2);
    EXPECT_EQ(coordinator.next(""), std::nullopt);
    EXPECT_FALSE(coordinator.settled());
    coordinator.finished(2);
    EXPECT_TRUE(coordinator.settled());
    EXPECT_EQ(coordinator.reason(1), "no luck");
}

TEST(Coordinator, HandsOutWhatIsDerivedOnceAllElseIsMadeOrHasFailed) {
    Plan plan = small_plan();
    const auto sum = plain_task("analyze", "", 1.0, {2, 3, 4, 5, 6});
    sum->sums_up = true;
    plan.tasks.push_back(sum);
    Coordinator coordinator(plan, {.done = {true, false, true, true, false, false, false, false}});
    EXPECT_EQ(coordinator.next(""), 1);
    coordinator.failed(1, "no memory");
    EXPECT_EQ(coordinator.state(7), TaskState::waiting);
    EXPECT_EQ(coordinator.next(""), 6);
    EXPECT_EQ(coordinator.next(""), std::nullopt);
    coordinator.failed(6, "no rows");
    EXPECT_EQ(coordinator.next(""), 7);
    coordinator.finished(7);
    EXPECT_EQ(coordinator.count(TaskState::failed), 4);
    EXPECT_TRUE(coordinator.settled());
}

}  // namespace
}  // namespace xlrm
