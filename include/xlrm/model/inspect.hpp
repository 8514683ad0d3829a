#pragma once

#include <filesystem>
#include <string>

namespace xlrm {

//! `xlrm_inspect model`: family, shape, tensors (and those that are there and not used), parameters, memory, head, tokenizer and
//! template of a folder, one fact a line. Every tensor is checked as by load_model, without loading the weights.
std::string inspect_model(const std::filesystem::path& model);

}  // namespace xlrm
