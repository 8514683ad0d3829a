#include "xlrm/comm/run_job.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "end_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {

namespace {

std::atomic<bool> stop_flag = false;  // set by a signal's handler or any thread, read by any
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void note_stop(int) { stop_flag = true; }

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = note_stop;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

//! What was printed must have gone somewhere: to a full disk it does not.
void flush_output() {
    const bool failed = std::ferror(stdout) != 0;
    if (std::fflush(stdout) != 0 || failed) {
        fail(std::string("standard output cannot be written: ") + std::strerror(errno) + " (what was printed is not complete)",
             ExitCode::io);
    }
}

void parse(Options& options, int argc, char** argv) {
    options.parse(argc, argv);
    parse_log_level(options.log_level());
}

void print_usage_problem(const Options& options, const Problem& problem) {
    std::fprintf(stderr, "%s: %s\n", options.program().c_str(), problem.message.c_str());
}

//! --help and --version; true when one was asked for.
bool answer_questions(const Options& options, bool speaks) {
    if (speaks && options.help_asked())
        std::fputs(options.help().c_str(), stdout);
    else if (speaks && options.version_asked())
        std::fputs(build_summary().c_str(), stdout);
    return options.help_asked() || options.version_asked();
}

}  // namespace

bool stop_requested() { return stop_flag; }
void request_stop() { stop_flag = true; }
void clear_stop() { stop_flag = false; }

void require_not_stopped(const char* during) {
    if (!stop_requested()) return;
    fail(std::string("stopped by a signal while ") + during + "; this part keeps nothing, and the same command does it again",
         ExitCode::stopped);
}

namespace {

//! What the body leaves to the end: how it ended well, or the problem that ended it.
struct Ending {
    JobEnd end = ExitCode::done;
    Problem problem;
};

Ending run_body(const Communicator& world, const Options& options,
                const std::function<JobEnd(const Communicator&, const Options&)>& body) {
    Ending ending;
    ending.problem = attempt([&] {
        ending.end = body(world, options);
        if (ending.end.code == ExitCode::stopped && ending.end.reason.empty())
            ending.end.reason = "stopped early; the same command goes on";
        if (!world.root()) return;
        flush_output();
        write_status(ending.end.code, ending.end.reason);
    });
    return ending;
}

//! How long a rank waits for the others at the end. Where it was through they may work for long. Where it failed they may wait
//! for it, in a collective, for ever; if they agreed on the error they are near.
std::chrono::seconds patience(const Problem& mine) {
    if (!mine) return std::chrono::hours(24 * 365);
    return std::chrono::seconds(mine.agreed ? 30 : 1);
}

//! Collective, unless it ends the job: the problem of the first rank that has one.
Problem agree_at_end(const Communicator& closing, const Problem& mine) {
    int failed = mine ? 1 : 0;
    int any = 0;
    int done = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    const Problem broken = attempt([&] {
        check_mpi(MPI_Iallreduce(&failed, &any, 1, MPI_INT, MPI_MAX, closing.get(), &request), "MPI_Iallreduce");
        const auto end = std::chrono::steady_clock::now() + patience(mine);
        for (;;) {
            check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
            if (done != 0 || std::chrono::steady_clock::now() > end) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    if (broken || done == 0 || thread_abandoned()) end_job(mine ? mine : broken);
    return any != 0 ? attempt([&] { agree_or_throw(closing, mine, Wait::spinning); }) : Problem{};
}

void say_stopped(const Options& options, const std::string& reason) {
    std::fprintf(stderr, "%s: %s\n", options.program().c_str(), reason.c_str());
}

//! What the root prints and writes about the end; the program's code.
ExitCode conclude(const Options& options, const Ending& ending) {
    const Problem& problem = ending.problem;
    if (!problem && ending.end.code == ExitCode::stopped) say_stopped(options, ending.end.reason);
    if (!problem) return ending.end.code;
    if (problem.code == ExitCode::stopped)
        say_stopped(options, problem.message);
    else
        log_root(LogLevel::error, problem.message);
    note_failure(problem);
    return problem.code;
}

//! What run_job does once MPI runs; returns the program's exit code.
int run_with_mpi(int argc, char** argv, Options& options,
                 const std::function<JobEnd(const Communicator&, const Options&)>& body) {
    const Communicator world = Communicator::world();
    // A configuration file may be missing on one node alone.
    const Problem usage = attempt([&] { together(world, [&] { parse(options, argc, argv); }); });
    if (usage && world.root()) print_usage_problem(options, usage);
    if (usage) return static_cast<int>(usage.code);
    if (answer_questions(options, world.root())) return 0;
    const Communicator closing = world.duplicate();
    set_log(world.rank(), world.size(), parse_log_level(options.log_level()));
    set_status_file(options.status_file());
    watch_signals();
    Ending ending = run_body(world, options, body);
    ending.problem = world.size() > 1 ? agree_at_end(closing, ending.problem) : ending.problem;
    const ExitCode code = world.root() ? conclude(options, ending) : ending.problem ? ending.problem.code : ending.end.code;
    std::fflush(stdout);
    const bool told = world.root() ? status_written() : has_status_file();
    return world.size() > 1 && told ? 0 : static_cast<int>(code);
}

}  // namespace

int run_job(int argc, char** argv, Options options, const std::function<JobEnd(const Communicator&, const Options&)>& body) {
    int code = 0;
    const Problem problem = attempt([&] {  // MPI did not start, or failed at the very beginning or end
        Session session(argc, argv);
        code = run_with_mpi(argc, argv, options, body);
    });
    if (!problem) return code;
    std::fprintf(stderr, "%s: %s\n", options.program().c_str(), problem.message.c_str());
    return static_cast<int>(problem.code);
}

int run_local(int argc, char** argv, Options options, const std::function<ExitCode(const Options&)>& body) {
    const Problem usage = attempt([&] { parse(options, argc, argv); });
    if (usage) print_usage_problem(options, usage);
    if (usage) return static_cast<int>(usage.code);
    if (answer_questions(options, true)) return 0;
    set_log(0, 1, parse_log_level(options.log_level()));
    set_status_file(options.status_file());
    Ending ending;
    ending.problem = attempt([&] {
        ending.end = body(options);
        flush_output();
    });
    return static_cast<int>(conclude(options, ending));
}

}  // namespace xlrm
