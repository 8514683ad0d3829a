#pragma once

#include <filesystem>
#include <string>

#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! `xlrm_inspect forward`: every layer's residual stream and the logits or scores of the rows {"ids": […]} of a JSONL file, as a
//! states file (store/states_file.hpp). Rows run one by one. The score is read at the last token, or by the rule that the
//! folder's xlrm.json names. Throws Error naming file and line for a row without ids, and for an id outside the vocabulary.
void inspect_forward(const std::filesystem::path& model, const std::filesystem::path& input, const std::filesystem::path& output,
                     DType dtype);

//! `xlrm_inspect model`: family, shape, tensors, parameters, memory, head, tokenizer and template of a folder, one fact a line.
//! Every tensor is checked as by load_model.
std::string inspect_model(const std::filesystem::path& model);

}  // namespace xlrm
