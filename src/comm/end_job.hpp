#pragma once

#include <string>

#include "xlrm/core/problem.hpp"

namespace xlrm {

//! The process's --status-file; "" = none. run_job sets it once; errors of any thread end there.
void set_status_file(const std::string& path);
bool has_status_file();
//! {"exit": code, "reason": "…"}, where a file is set. Throws Error(io).
void write_status(ExitCode code, const std::string& reason);
//! Whether this process wrote it.
bool status_written();
//! For a failed job: the status file may be unwritable too, and the problem itself is what counts.
void note_failure(const Problem& problem);

//! A thread was left in a collective that may never end: MPI cannot be finalised any more.
void note_abandoned_thread();
bool thread_abandoned();

}  // namespace xlrm
