#pragma once

#include <functional>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! Collective over the world. What must be there before the grid: the synthetic world's data, the tokenizer, the base model; each is
//! left alone when it is there. The base is made by the first `pretrain_ranks` ranks; the others wait without spinning.
//! Fills the configuration's paths of what it made. Returns false when a stop request ended it (resumable).
bool run_prologue(const Communicator& world, SweepConfig& config, const SweepFolder& folder);

//! Points data, tokenizer and pretraining of `config` at the synthetic world's files in `folder`, when [data] world is given.
void use_world(SweepConfig& config, const SweepFolder& folder);

}  // namespace xlrm
