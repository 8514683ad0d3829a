// A program whose end the test of run_job chooses: run_job_probe --do WHAT.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/log.hpp"

namespace {

using xlrm::Communicator;
using xlrm::ExitCode;

void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

//! Rank 1 fails while its own reduction still waits for the others, which are busy.
void throw_while_reducing(const Communicator& world) {
    std::vector<float> gradient(1000, 1.0F);
    xlrm::GradientReducer reducer(world, 10);
    reducer.begin(gradient);
    if (world.rank() == 1) {
        reducer.ready(500, 500);
        pause(200);
        xlrm::fail("rank 1 ran out of luck");
    }
    pause(20000);
    reducer.finish();
}

//! One rank of a group of all but the last fails while the others of its group wait for it; the last one waits for the group.
void throw_in_group(const Communicator& world, bool agreed) {
    const bool member = world.rank() < world.size() - 1;
    const Communicator group = world.split(member ? 0 : 1, world.rank());
    xlrm::run_in_group(world, group, member, [&] {
        if (agreed) xlrm::together(group, [&] { xlrm::require(!group.root(), "the group agrees", ExitCode::usage); });
        if (group.root()) xlrm::fail("the group's root is gone", ExitCode::io);
        group.barrier();
    });
}

//! The first two ranks fail at the same moment while the others wait for them.
void throw_twice(const Communicator& world) {
    world.barrier();
    if (world.rank() < 2) xlrm::fail("two at once", ExitCode::io);
    world.barrier();
}

//! Batches until some rank has seen a signal.
ExitCode work_until_stopped(const Communicator& world) {
    world.barrier();
    if (world.root()) std::puts("working");
    std::fflush(stdout);
    for (int i = 0; i < 400; ++i) {
        if (world.any(xlrm::stop_requested())) return ExitCode::stopped;
        pause(50);
    }
    return ExitCode::done;
}

xlrm::JobEnd act(const Communicator& world, const std::string& what) {
    const bool unlucky = world.rank() == world.size() - 1;
    if (what == "throw-io" && unlucky) xlrm::fail("/data/cell.h5: cut off", ExitCode::io);
    if (what == "throw-other" && unlucky) throw std::runtime_error("not one of ours");
    if (what == "throw-io" || what == "throw-other") world.barrier();
    if (what == "throw-agreed") throw xlrm::Error("prefs.jsonl:3: broken").mark_agreed();
    if (what == "throw-all") xlrm::fail("all ranks refuse", ExitCode::usage);
    if (what == "throw-late" && unlucky) xlrm::fail("the last rank failed at its end", ExitCode::io);
    if (what == "throw-twice") throw_twice(world);
    if (what == "throw-in-group") throw_in_group(world, false);
    if (what == "agree-in-group") throw_in_group(world, true);
    if (what == "throw-while-reducing") throw_while_reducing(world);
    if (what == "some-failed") return ExitCode::some_failed;
    if (what == "stopped") return ExitCode::stopped;
    if (what == "stopped-with-reason") return {ExitCode::stopped, "stopped at step 3; the state is in out.checkpoint"};
    if (what == "stop-in-work") {
        if (unlucky) xlrm::request_stop();
        xlrm::together(world, [] { xlrm::require_not_stopped("the rows were read"); });
    }
    if (what == "print") std::puts("a line");
    if (what == "work") return work_until_stopped(world);
    return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
    std::string what = "end";
    int count = 0;
    xlrm::Options options("run_job_probe", "Ends in the way that --do names.");
    options.section("probe").add("do", &what, "WHAT", "how to end").add("count", &count, "N", "a number");
    return xlrm::run_job(argc, argv, std::move(options), [&](const Communicator& world, const xlrm::Options&) {
        xlrm::log_root(xlrm::LogLevel::info, "begun");
        return act(world, what);
    });
}
