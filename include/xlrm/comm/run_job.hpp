#pragma once

#include <exception>
#include <functional>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

//! The frame of every main: Session, options (help and usage errors printed by rank 0 alone, on every rank the same
//! return), log, signals, body, status. An Error or any other exception of one rank is printed with its rank and ends the
//! job through MPI_Abort with its exit code; nobody else catches.
//! Under a launcher (more than one rank) an orderly end returns 0 on every rank unless --status-file is not given, and the
//! code goes to --status-file ({"exit": 75, "reason": "..."}). With one rank the code is returned.
//! The option texts of common options (--help, --version, --config, --dry-run, --log-level, --status-file) are added here.
int run_job(int argc, char** argv, Options options, const std::function<ExitCode(const Communicator&, const Options&)>& body);

//! The same frame for what needs no other rank (status of a folder, inspection of a file): MPI is not started, so it also runs inside
//! a batch script.
int run_local(int argc, char** argv, Options options, const std::function<ExitCode(const Options&)>& body);

//! Prints the exception with its rank and ends the whole MPI job with its exit code (1 for one that is not an Error). For threads
//! other than main, whose exceptions run_job cannot see.
[[noreturn]] void end_job(const std::exception_ptr& problem);

//! Set by SIGUSR1, SIGTERM and SIGINT. The handler sets a flag and nothing else. Ranks agree by Communicator::any at their
//! own checkpoints (between batches), since some ranks may never see the signal.
bool stop_requested();
//! For tests.
void request_stop();
void clear_stop();

}  // namespace xlrm
