#pragma once

#include <functional>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/core/problem.hpp"

namespace xlrm {

//! How a body ended well: its code, and for the status file why it is not 0. A job that was stopped says here where its state
//! lies and how to go on (the root's is used).
struct JobEnd {
    JobEnd(ExitCode end, std::string why = "") : code(end), reason(std::move(why)) {}
    ExitCode code;
    std::string reason;
};

//! The frame of every main: Session, options (help and usage errors printed by rank 0 alone, on every rank the same
//! return), log, signals, body, status. Nobody else catches but attempt() and its like in together.hpp.
//!
//! At its end a job agrees once more over the world. An error that all ranks had agreed on, or that all ranks threw within a
//! second, or that a rank threw when the others were through with the body, is printed once, and all return its code. With one
//! rank that is every error. Only where ranks may wait for the failed one for ever is MPI_Abort called (end_job), with the
//! error's code. A stop request that ended the body (code 75) is told by the root in one sentence, whatever --log-level says.
//!
//! Under a launcher (more than one rank) an orderly end returns 0 on every rank unless --status-file is not given, and the
//! code goes to --status-file ({"exit": 75, "reason": "..."}). With one rank the code is returned.
//! The option texts of common options (--help, --version, --config, --dry-run, --log-level, --status-file) are added here.
int run_job(int argc, char** argv, Options options, const std::function<JobEnd(const Communicator&, const Options&)>& body);

//! The same frame for what needs no other rank (status of a folder, inspection of a file): MPI is not started, so it also runs
//! inside a batch script.
int run_local(int argc, char** argv, Options options, const std::function<ExitCode(const Options&)>& body);

//! Ends the whole MPI job with the problem's exit code: for an error of one rank that others may wait for in a collective. When
//! several ranks fail at once, one of them, the first if it can be known, prints its message.
[[noreturn]] void end_job(const Problem& problem);

//! Set by SIGUSR1, SIGTERM and SIGINT. The handler sets a flag and nothing else. Ranks agree by Communicator::any at their
//! own checkpoints (between batches), since some ranks may never see the signal.
bool stop_requested();
//! For work that keeps nothing of what it did: throws Error(stopped) once a stop was requested. `during` says what was stopped
//! ("the rows were read"). Call it between pieces of work that an agreement follows (together.hpp).
void require_not_stopped(const char* during);
//! For tests.
void request_stop();
void clear_stop();

}  // namespace xlrm
