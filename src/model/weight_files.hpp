#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! The safetensors files of a model folder: model.safetensors, or the shards of model.safetensors.index.json (tensor → file).
struct WeightFiles {
    std::vector<std::filesystem::path> files;     //!< sorted
    std::map<std::string, std::string> shard_of;  //!< empty for a single file
};

//! Throws Error when there are neither, or the index is damaged or names a file outside the folder.
WeightFiles find_weight_files(const std::filesystem::path& folder);

//! Refuses shards and index that do not agree: `names` are the tensors that `file` holds.
void check_shard(const WeightFiles& weights, const std::filesystem::path& file, const std::vector<std::string>& names);

}  // namespace xlrm
