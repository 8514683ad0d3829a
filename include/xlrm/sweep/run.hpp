#pragma once

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! Collective over the world. The whole sweep: prologue, plan, cells, tables. Resumes what `config.output` holds; a folder of another
//! configuration is refused by naming the first option that differs (grid lists may grow). `quiet`: the table is not printed.
ExitCode run_sweep(const Communicator& world, const Options& options, SweepConfig config, bool quiet = false);

//! What --dry-run prints: cells by kind, what is there already, estimate of time and bytes. Writes nothing.
std::string sweep_report(const SweepConfig& config);

}  // namespace xlrm
