#pragma once

#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! Collective over the world. The whole sweep: checks, plan, tasks, tables. Resumes what `config.output` holds: what is
//! there and comes from the same content is kept, what comes from other content is moved aside and made anew (supersede.hpp). A
//! refused sweep changes nothing and leaves no folder. `quiet`: the table is not printed.
JobEnd run_sweep(const Communicator& world, const Options& options, SweepConfig config, bool quiet = false);

//! Collective over the world. --dry-run: the checks of run_sweep with the same messages and codes, and on the root what would be
//! done: tasks by kind, what is there already, an estimate of time and bytes. Writes nothing.
std::string sweep_report(const Communicator& world, const Options& options, const SweepConfig& config);

//! Collective over the world. The plan on the root, after the checks of run_sweep: a line for each output, or with `dot` the
//! graph of tasks in Graphviz's language, those with nothing left to do grey. Writes nothing.
std::string sweep_plan(const Communicator& world, const Options& options, const SweepConfig& config, bool dot);

}  // namespace xlrm
