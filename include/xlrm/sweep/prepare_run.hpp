#pragma once

#include "xlrm/core/options.hpp"
#include "xlrm/sweep/compare.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/inputs.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! What a run is to do, all of it checked.
struct PreparedRun {
    Plan plan;  //!< with inputs and recipes
    SweepInputs inputs;
    Comparison comparison;  //!< of what is there with the plan
};

//! For one process. Everything that can be refused is refused here: options, an output folder that cannot be written, inputs
//! (check_inputs), and other options than the folder was made with where it holds outputs that do not say what they come from.
//! Leaves the folder as it was.
PreparedRun prepare_run(const Options& options, const SweepConfig& config, const SweepFolder& folder);

}  // namespace xlrm
