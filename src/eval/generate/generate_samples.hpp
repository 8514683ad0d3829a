#pragma once

#include <functional>

#include "generate/setup.hpp"
#include "xlrm/comm/run_job.hpp"

namespace xlrm {

//! On the root, once the samples are written: `record` is what stands beside them.
using FinishSamples = std::function<void(const GenerationSetup& setup, const Json& record)>;

//! Of a run that is part of another.
struct GenerationCaller {
    bool embedded = false;            //!< the caller holds the output's lock, and shows its own progress
    std::function<bool()> stop = {};  //!< on every rank: asks the run to stop, as a signal does
};

//! Collective. What run_generate does, of the job's prompts or others.
JobEnd generate_samples(const Communicator& world, const GenerateJob& job, const MakePrompts& make_prompts,
                        const FinishSamples& finish_samples, const GenerationCaller& caller = {});

//! Collective. What --dry-run prints of it.
std::string samples_plan(const Communicator& world, const GenerateJob& job, const MakePrompts& make_prompts);

}  // namespace xlrm
