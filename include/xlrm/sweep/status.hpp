#pragma once

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! State of a sweep folder from its files and ledger; needs no MPI, and writes nothing but hashes.json, where it can.
//! {"cells" (all tasks), "done", "failed", "running", "left", "state": "done"|"some-failed"|"resumable",
//! "seconds_a_cell", "failures": {task: reason}}. `running` = started in the ledger and not ended; after a crash these are simply
//! left.
Json sweep_status(const SweepFolder& folder);

//! A table by kind of task, the failures, and the rate.
std::string format_status(const Json& status);

//! 0 all done, 3 some failed, 75 resumable.
ExitCode status_code(const Json& status);

//! Reads every file that has a hash (cells, prepared rows) against its SHA-256, compares what each output records of where it
//! comes from with the plan (compare.hpp), and the plan's inputs with what they are today, where they can be read. Lists what is
//! damaged or differs; 0 when nothing is, else 1.
ExitCode verify_folder(const SweepFolder& folder);

}  // namespace xlrm
