#include "end_job.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kFailed = 7;               // nothing else sends on MPI_COMM_WORLD: Communicator has duplicates of it
constexpr auto kOthersMaySpeak = 300ms;  // until a rank that fails at the same moment has said so
constexpr auto kSpeakerMayAbort = 5s;    // until MPI_Abort of the rank that speaks has come here
std::string status_file;
bool written = false;
std::atomic<bool> abandoned = false;

bool may_call_mpi() {
    int initialized = 0, finalized = 0, level = MPI_THREAD_SINGLE, main = 0;
    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    if (initialized == 0 || finalized != 0) return false;
    MPI_Query_thread(&level);
    MPI_Is_thread_main(&main);
    return level == MPI_THREAD_MULTIPLE || main != 0;
}

//! The notices of other ranks that fail: the lowest of those that knew of none before them.
class Notices {
public:
    Notices() {
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
    }
    bool come() {
        bool any = false;
        for (int found = 1; found != 0;) {
            MPI_Status status;
            if (MPI_Iprobe(MPI_ANY_SOURCE, kFailed, MPI_COMM_WORLD, &found, &status) != MPI_SUCCESS || found == 0) break;
            int was_first = 0;
            MPI_Recv(&was_first, 1, MPI_INT, status.MPI_SOURCE, kFailed, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            if (was_first != 0 && status.MPI_SOURCE < lowest_first_) lowest_first_ = status.MPI_SOURCE;
            any = true;
        }
        return any;
    }
    //! To all others. The requests are never completed: the job ends.
    void send(bool first) {
        notice_ = first ? 1 : 0;
        if (first) lowest_first_ = std::min(lowest_first_, rank_);
        for (int to = 0; to < size_; ++to) {
            MPI_Request request = MPI_REQUEST_NULL;
            if (to != rank_) MPI_Isend(&notice_, 1, MPI_INT, to, kFailed, MPI_COMM_WORLD, &request);
        }
    }
    bool alone() const { return size_ == 1; }
    bool speaks() const { return lowest_first_ == rank_; }

private:
    int rank_ = 0, size_ = 1, lowest_first_ = INT_MAX;
    static int notice_;
};
int Notices::notice_ = 0;

//! Whether this rank is the one that prints. Several that fail at once hear of each other here.
bool elected() {
    if (!may_call_mpi()) return true;
    Notices notices;
    if (notices.alone()) return true;
    notices.send(!notices.come());
    for (const auto end = Clock::now() + kOthersMaySpeak; Clock::now() < end; std::this_thread::sleep_for(1ms)) notices.come();
    return notices.speaks();
}

}  // namespace

void set_status_file(const std::string& path) { status_file = path; }

bool has_status_file() { return !status_file.empty(); }

void write_status(ExitCode code, const std::string& reason) {
    if (status_file.empty()) return;
    write_file_atomic(status_file, dump_line(Json{{"exit", static_cast<int>(code)}, {"reason", reason}}) + "\n");
    written = true;
}

bool status_written() { return written; }

void note_failure(const Problem& problem) {
    try {
        write_status(problem.code, problem.message);
    } catch (const Error&) {
        return;
    }
}

void note_abandoned_thread() { abandoned = true; }

bool thread_abandoned() { return abandoned; }

void end_job(const Problem& problem) {
    if (!elected()) std::this_thread::sleep_for(kSpeakerMayAbort);
    note_failure(problem);
    log_rank(LogLevel::error, problem.message);
    std::fflush(stdout);
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(problem.code));
    std::_Exit(static_cast<int>(problem.code));
}

}  // namespace xlrm
