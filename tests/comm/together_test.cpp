#include "xlrm/comm/together.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace xlrm {
namespace {

//! What every rank must throw alike; "" when nothing was thrown.
struct Thrown {
    std::string message;
    ExitCode code = ExitCode::done;
    bool agreed = false;
};

Thrown thrown_by(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return {error.what(), error.code(), error.agreed()};
    }
    return {};
}

void expect_alike(const Communicator& world, const Thrown& thrown, const std::string& message, ExitCode code) {
    EXPECT_EQ(thrown.message, message);
    EXPECT_EQ(thrown.code, code);
    EXPECT_TRUE(thrown.agreed);
    world.barrier();  // and every rank is here
}

TEST(Together, ThrowsTheFirstRanksErrorWithItsOwnCode) {
    const Communicator world = Communicator::world();
    expect_alike(world, thrown_by([&] { together(world, [] { fail("bad", ExitCode::usage); }); }), "bad", ExitCode::usage);
    if (world.size() == 1) return;
    const int last = world.size() - 1;
    const Thrown thrown = thrown_by([&] {
        together(world, [&] {
            if (world.rank() == last - 1) throw std::bad_alloc();
            if (world.rank() == last) fail("disk", ExitCode::io);
        });
    });
    EXPECT_TRUE(thrown.message.starts_with("rank " + std::to_string(last - 1) + ": out of memory")) << thrown.message;
    EXPECT_EQ(thrown.code, ExitCode::failure);  // the message's own, not the highest
    EXPECT_TRUE(thrown.agreed);
    world.barrier();
}

TEST(Together, LetsAStopGiveWayToAnError) {
    const Communicator world = Communicator::world();
    const bool last = world.rank() == world.size() - 1;
    const Thrown thrown = thrown_by([&] { together(world, [&] { fail("stopped", last ? ExitCode::stopped : ExitCode::io); }); });
    EXPECT_EQ(thrown.code, world.size() == 1 ? ExitCode::stopped : ExitCode::io);
}

TEST(Together, OnRootRunsThereAloneAndAllThrow) {
    const Communicator world = Communicator::world();
    int runs = 0;
    on_root(world, [&] { ++runs; });
    EXPECT_EQ(runs, world.root() ? 1 : 0);
    expect_alike(world, thrown_by([&] { on_root(world, [] { fail("root", ExitCode::io); }); }), "root", ExitCode::io);
}

//! The first `ranks` ranks of the world, and the others.
Communicator part(const Communicator& world, int ranks) { return world.split(world.rank() < ranks ? 0 : 1, world.rank()); }

TEST(RunInGroup, TellsTheWorldOfAnErrorThatAGroupAgreedOn) {
    const Communicator world = Communicator::world();
    for (int ranks = 1; ranks <= world.size(); ++ranks) {
        const Communicator group = part(world, ranks);
        const bool member = world.rank() < ranks;
        int works = 0;
        const Thrown thrown = thrown_by([&] {
            run_in_group(world, group, member, [&] {
                ++works;
                EXPECT_TRUE(group.all(true));  // it may communicate
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                together(group, [&] {
                    if (group.root()) fail("--batch-pairs must be above 0", ExitCode::usage);
                });
            });
        });
        EXPECT_EQ(works, member ? 1 : 0);
        EXPECT_NE(thrown.message.find("--batch-pairs must be above 0"), std::string::npos) << thrown.message;
        EXPECT_EQ(thrown.code, ExitCode::usage);
        EXPECT_TRUE(thrown.agreed);
        world.barrier();
    }
}

TEST(RunInGroup, TakesTheErrorOfALoneRankForAgreed) {
    const Communicator world = Communicator::world();
    const Communicator group = part(world, 1);
    const Thrown thrown = thrown_by([&] { run_in_group(world, group, world.root(), [] { fail("disk", ExitCode::io); }); });
    expect_alike(world, thrown, "disk", ExitCode::io);
}

TEST(RunInGroup, LetsSeveralGroupsWorkAtOnce) {
    const Communicator world = Communicator::world();
    const int size = 2;
    const Communicator group = world.split(world.rank() / size, world.rank());
    const bool last = world.rank() / size == (world.size() - 1) / size;
    const Thrown thrown = thrown_by([&] {
        run_in_group(world, group, true, [&] { together(group, [&] { require(!last, "the last group fails", ExitCode::io); }); });
    });
    expect_alike(world, thrown, "the last group fails", ExitCode::io);
    run_in_group(world, group, !last, [&] { EXPECT_TRUE(group.all(true)); });
}

}  // namespace
}  // namespace xlrm
