#include "xlrm/sweep/coordinator.hpp"

#include <gtest/gtest.h>

#include <set>

namespace xlrm {
namespace {

//! Two trainings (one three times as long), two cells each, one base cell.
Plan small_plan() {
    Plan plan;
    plan.tasks = {{TaskKind::train, "b", "en", "", "", 1, -1, 3.0},       {TaskKind::train, "b", "all", "", "", 1, -1, 9.0},
                  {TaskKind::evaluate, "b", "en", "x", "en", 1, 0, 1.0},  {TaskKind::evaluate, "b", "en", "x", "ko", 1, 0, 1.0},
                  {TaskKind::evaluate, "b", "all", "x", "en", 1, 1, 1.0}, {TaskKind::evaluate, "b", "all", "x", "ko", 1, 1, 1.0},
                  {TaskKind::evaluate, "b", "", "x", "en", 0, -1, 1.0}};
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
    Coordinator coordinator(plan, {true, true, false, false, false, false, false});
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
                const int needs = plan.tasks[static_cast<std::size_t>(*task)].needs;
                EXPECT_TRUE(needs < 0 || coordinator.state(needs) == TaskState::done);
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

}  // namespace
}  // namespace xlrm
