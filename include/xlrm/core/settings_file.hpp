#pragma once

#include <filesystem>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! A JSON file of settings (config.json, an index), whose value is copied and written again. Both recurse, so that a value nested
//! more than 256 deep is refused. Throws Error naming the file.
Json read_settings(const std::filesystem::path& path);

}  // namespace xlrm
