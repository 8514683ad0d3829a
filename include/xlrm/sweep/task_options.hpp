#pragma once

#include <filesystem>
#include <string>

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! [train] with the fields that a model decides: objective, base, data, languages, part of the split, source, seed, output; paths
//! below [data] root.
TrainOptions training_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base, const Source& source,
                         std::int64_t seed);

//! [pretrain] with the fields that the sweep decides: objective, tokenizer, output, and paths below [data] root.
TrainOptions pretraining_of(const SweepConfig& config, const SweepFolder& folder, const std::string& base);

//! [evaluate] with the sweep's split.
EvaluateOptions evaluation_of(const SweepConfig& config);

//! Folder of a base model, made here or given, or of a model that is given ready.
std::filesystem::path base_folder(const SweepConfig& config, const SweepFolder& folder, const std::string& base);

//! The source of that name. Throws Error where the configuration has none.
Source source_of(const SweepConfig& config, const std::string& name);

//! Name of the model of a base, source and seed: "base.en.s1"; of the base itself (source "") "base".
std::string model_name(const std::string& base, const std::string& source, std::int64_t seed);

//! Whether a file's items are tokens already.
bool is_prepared_file(const std::filesystem::path& path);

//! Points data, tokenizer and pretraining of `config` at the synthetic world's files in `place`, when [data] world is given.
void use_world(SweepConfig& config, const std::filesystem::path& place);

//! Writes the world that `config` asks for into `place`.
void write_world_files(const SweepConfig& config, const std::filesystem::path& place);

}  // namespace xlrm
