#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>

#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! `xlrm_inspect forward`: every layer's residual stream and the logits or scores of the rows {"ids": […]} of a JSONL file, as a
//! states file (store/states_file.hpp). Rows run one by one. The score is read at the token that `pooling` names (pooling.hpp);
//! auto: by the rule in the folder's xlrm.json, or at the last token; a head with several labels gives as many scores. The rows
//! are read and the output is locked before the weights are. Throws Error naming file and line for a row without ids, and for an
//! id outside the vocabulary.
void inspect_forward(const std::filesystem::path& model, const std::filesystem::path& input, const std::filesystem::path& output,
                     DType dtype, const std::string& pooling = "auto", at::Device device = at::kCPU);

}  // namespace xlrm
