#pragma once

#include <functional>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! Collective over the world. What must be there before the grid: the synthetic world's data, the tokenizer, the base model; each
//! is left alone when it is there, and has its recipe of `plan` with it. The base is made by the first `pretrain_ranks` ranks;
//! the others wait without spinning. `config` has the world's files (use_world). Returns false when a stop request ended it
//! (resumable).
bool run_prologue(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan);

//! Points data, tokenizer and pretraining of `config` at the synthetic world's files in `place`, when [data] world is given.
void use_world(SweepConfig& config, const std::filesystem::path& place);

//! Writes the world that `config` asks for into `place`.
void write_world_files(const SweepConfig& config, const std::filesystem::path& place);

//! [pretrain] with the fields that the sweep decides: objective, tokenizer, output, and paths below [data] root.
TrainOptions pretraining_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base);

}  // namespace xlrm
