#pragma once

#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! Collective over the world. The whole sweep: checks, prologue, plan, cells, tables. Resumes what `config.output` holds. A
//! folder of another configuration is refused by naming the first option that differs (grid lists may grow), and one whose
//! results come from other content by naming them (compare.hpp); a refused sweep changes nothing and leaves no folder. `quiet`:
//! the table is not printed.
JobEnd run_sweep(const Communicator& world, const Options& options, SweepConfig config, bool quiet = false);

//! Collective over the world. --dry-run: the checks of run_sweep with the same messages and codes, and on the root what would be
//! done: tasks by kind, what is there already, an estimate of time and bytes. Writes nothing.
std::string sweep_report(const Communicator& world, const Options& options, const SweepConfig& config);

}  // namespace xlrm
