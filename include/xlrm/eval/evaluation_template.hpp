#pragma once

#include <filesystem>
#include <memory>

#include "xlrm/core/json.hpp"
#include "xlrm/eval/options.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! The template that a model's texts are rendered with: by default that of its training, which `extra`, its xlrm.json, names; the
//! folder's own text where it is still that one, else the template by name.
std::unique_ptr<ChatTemplate> evaluation_template(const std::filesystem::path& folder, const EvaluateOptions& options,
                                                  const Json& extra);

}  // namespace xlrm
