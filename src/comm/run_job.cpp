#include "xlrm/comm/run_job.hpp"

#include <csignal>
#include <cstdio>
#include <new>

#include "xlrm/core/build_info.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {

namespace {

volatile std::sig_atomic_t stop_flag = 0;

extern "C" void note_stop(int) { stop_flag = 1; }

void watch_signals() {
    struct sigaction action {};
    action.sa_handler = note_stop;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

struct Problem {
    ExitCode code;
    std::string message;
    bool agreed = false;
};

Problem describe_problem(const std::exception_ptr& problem) {
    try {
        std::rethrow_exception(problem);
    } catch (const Error& error) {
        return {error.code(), error.what(), error.agreed()};
    } catch (const std::bad_alloc&) {
        return {ExitCode::failure, "out of memory (use a smaller --token-budget, --dtype bf16, or more ranks)"};
    } catch (const std::exception& error) {
        return {ExitCode::failure, error.what()};
    } catch (...) {
        return {ExitCode::failure, "an exception of unknown type"};
    }
}

void write_status(const Options& options, ExitCode code, const std::string& reason) {
    if (options.status_file().empty()) return;
    write_file_atomic(options.status_file(), Json{{"exit", static_cast<int>(code)}, {"reason", reason}}.dump() + "\n");
}

//! For an error of one rank: the status file may be unwritable too, and the error itself is what counts.
void note_failure(const Options& options, const Problem& problem) {
    try {
        write_status(options, problem.code, problem.message);
    } catch (const Error&) {
        return;
    }
}

//! Parses; true when the program has nothing more to do, with the code in `code`. The same on every rank; `speaks` alone prints.
bool parse_only(Options& options, int argc, char** argv, bool speaks, ExitCode* code) {
    try {
        options.parse(argc, argv);
        parse_log_level(options.log_level());
    } catch (const Error& error) {
        if (speaks) std::fprintf(stderr, "%s: %s\n", options.program().c_str(), error.what());
        *code = error.code();
        return true;
    }
    *code = ExitCode::done;
    if (speaks && options.help_asked()) std::fputs(options.help().c_str(), stdout);
    else if (speaks && options.version_asked()) std::fputs(build_summary().c_str(), stdout);
    return options.help_asked() || options.version_asked();
}

}  // namespace

bool stop_requested() { return stop_flag != 0; }
void request_stop() { stop_flag = 1; }
void clear_stop() { stop_flag = 0; }

void end_job(const std::exception_ptr& problem) {
    const Problem what = describe_problem(problem);
    log_rank(LogLevel::error, what.message);
    std::fflush(stdout);
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(what.code));
    std::_Exit(static_cast<int>(what.code));
}

namespace {

//! What run_job does once MPI runs; returns the program's exit code.
int run_with_mpi(int argc, char** argv, Options& options, const std::function<ExitCode(const Communicator&, const Options&)>& body) {
    const Communicator world = Communicator::world();
    ExitCode code = ExitCode::done;
    if (parse_only(options, argc, argv, world.root(), &code)) return static_cast<int>(code);
    set_log(world.rank(), world.size(), parse_log_level(options.log_level()));
    watch_signals();
    try {
        code = body(world, options);
        if (world.root()) write_status(options, code, code == ExitCode::stopped ? "stopped early; the same command resumes" : "");
    } catch (...) {
        const Problem problem = describe_problem(std::current_exception());
        if (!problem.agreed) {
            note_failure(options, problem);
            end_job(std::current_exception());
        }
        code = problem.code;
        log_root(LogLevel::error, problem.message);
        if (world.root()) note_failure(options, problem);
    }
    std::fflush(stdout);
    return world.size() > 1 && !options.status_file().empty() ? 0 : static_cast<int>(code);
}

}  // namespace

int run_job(int argc, char** argv, Options options, const std::function<ExitCode(const Communicator&, const Options&)>& body) {
    try {
        Session session(argc, argv);
        return run_with_mpi(argc, argv, options, body);
    } catch (const Error& error) {  // MPI did not start
        std::fprintf(stderr, "%s: %s\n", options.program().c_str(), error.what());
        return static_cast<int>(error.code());
    }
}

int run_local(int argc, char** argv, Options options, const std::function<ExitCode(const Options&)>& body) {
    ExitCode code = ExitCode::done;
    if (parse_only(options, argc, argv, true, &code)) return static_cast<int>(code);
    set_log(0, 1, parse_log_level(options.log_level()));
    try {
        code = body(options);
    } catch (...) {
        const Problem what = describe_problem(std::current_exception());
        log_root(LogLevel::error, what.message);
        return static_cast<int>(what.code);
    }
    return static_cast<int>(code);
}

}  // namespace xlrm
