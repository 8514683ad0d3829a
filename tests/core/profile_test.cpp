#include "xlrm/core/profile.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

void spend(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

const Profile::Total& find(const std::vector<Profile::Total>& totals, const std::string& name) {
    for (const auto& total : totals)
        if (total.name == name) return total;
    throw std::runtime_error("no total named " + name);
}

TEST(Profile, CountsNothingWhileItIsOff) {
    Profile profile;
    { const StageScope scope("before"); }
    {
        const ProfileOn on(profile);
        const StageScope scope("during");
    }
    { const StageScope scope("after"); }
    const auto totals = profile.totals();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].name, "during");
}

TEST(Profile, DividesAStageIntoItsOwnTimeAndThatOfItsOperations) {
    Profile profile;
    {
        const ProfileOn on(profile);
        const StageScope stage("stage");
        spend(0.02);
        for (int i = 0; i < 2; ++i) {
            const ProfileScope op("op", ScopeKind::op, 500.0);
            spend(0.01);
        }
    }
    const auto totals = profile.totals();
    const auto& stage = find(totals, "stage");
    const auto& op = find(totals, "op");
    EXPECT_EQ(op.calls, 2);
    EXPECT_EQ(op.flops, 1000.0);
    EXPECT_GE(op.seconds, 0.02);
    EXPECT_GE(stage.self_seconds, 0.02);
    EXPECT_NEAR(stage.self_seconds + op.seconds, stage.seconds, 1e-9);
    EXPECT_GT(stage.peak_bytes, 0);
    EXPECT_EQ(profile.covered_seconds(), stage.seconds);
    EXPECT_LE(profile.covered_seconds(), profile.total_seconds());
}

TEST(Profile, CountsANestedScopeOfTheSameNameOnce) {
    Profile profile;
    {
        const ProfileOn on(profile);
        const StageScope outer("same");
        const StageScope inner("same");
        spend(0.01);
    }
    const auto totals = profile.totals();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].calls, 2);
    EXPECT_NEAR(totals[0].seconds, profile.covered_seconds(), 1e-9);
    EXPECT_EQ(profile.stage_seconds("same"), totals[0].seconds);
    EXPECT_EQ(profile.stage_seconds("other"), 0.0);
}

TEST(Profile, KeepsOtherThreadsApart) {
    Profile profile;
    {
        const ProfileOn on(profile);
        std::thread([] { const StageScope scope("elsewhere"); }).join();
    }
    EXPECT_TRUE(find(profile.totals(), "elsewhere").beside);
    EXPECT_EQ(profile.covered_seconds(), 0.0);
}

TEST(Profile, WritesATraceOfEveryScope) {
    const TemporaryFolder folder;
    run_profiled(folder.path() / "trace.json", 1, 2, [] {
        const StageScope stage("forward");
        const ProfileScope op("linear", ScopeKind::op, 2e6);
        spend(0.001);
    });
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "trace.json"));
    const Json trace = read_json(folder.path() / "trace.json.rank1");
    std::map<std::string, Json> scopes;
    int counters = 0;
    for (const Json& event : trace.at("traceEvents")) {
        EXPECT_EQ(event.at("pid"), 1);
        if (event.at("ph") == "X") scopes[event.at("name")] = event;
        if (event.at("ph") == "C") ++counters;
    }
    ASSERT_EQ(scopes.size(), 2U);
    EXPECT_EQ(counters, 1);
    EXPECT_EQ(scopes["linear"].at("cat"), "op");
    EXPECT_EQ(scopes["linear"].at("args").at("flops"), 2e6);
    EXPECT_GE(scopes["linear"].at("dur").get<double>(), 1000.0);
    EXPECT_LE(scopes["forward"].at("ts").get<double>(), scopes["linear"].at("ts").get<double>());
    EXPECT_LE(trace.at("xlrm").at("covered_s"), trace.at("xlrm").at("total_s"));
}

TEST(Profile, RunsTheBodyAloneWithoutAFile) {
    bool ran = false;
    run_profiled("", 0, 1, [&] {
        ran = true;
        EXPECT_EQ(detail::active_profile.load(), nullptr);
    });
    EXPECT_TRUE(ran);
}

TEST(Profile, RefusesAFolderThatCannotBeWritten) {
    EXPECT_THROW(run_profiled("/proc/none/trace.json", 0, 1, [] { FAIL() << "it must be refused before the work"; }), Error);
}

TEST(Memory, TellsWhatTheProcessHolds) {
    const std::int64_t before = resident_bytes();
    std::vector<char> block(64 << 20, 1);
    EXPECT_GE(resident_bytes(), before + (60 << 20));
    EXPECT_GE(peak_resident_bytes(), before + (60 << 20));
    EXPECT_EQ(block.back(), 1);
}

TEST(ProcessSeconds, CountFromTheStartOfTheProcess) {
    const double before = process_seconds();
    // This program has hardly begun; a count from the machine's start, or in other units, is far from this.
    EXPECT_GT(before, 0.0);
    EXPECT_LT(before, 100.0);
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    const double passed = process_seconds() - before;
    EXPECT_GE(passed, 0.05);
    EXPECT_LT(passed, 10.0);
}

}  // namespace
}  // namespace xlrm
