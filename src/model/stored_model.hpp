#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/safetensors.hpp"

namespace xlrm {

//! A tensor of a weight file.
struct StoredTensor {
    const SafetensorsFile* file = nullptr;
    std::string name;  //!< in the file
    TensorView view() const { return file->tensor(name); }
};

//! A model folder opened for reading, but for the weights' values.
struct StoredModel {
    std::filesystem::path folder;
    ModelConfig config;
    Json notes;  //!< xlrm.json, or null
    std::vector<SafetensorsFile> files;
    std::map<std::string, StoredTensor> tensors;  //!< by the layout's names
    HeadKind head = HeadKind::none;               //!< on which config.json and the weights agree
    std::int64_t labels = 0;                      //!< rows of score.weight

    StoredModel() = default;
    StoredModel(StoredModel&&) = default;  // `tensors` point into `files`, whose elements stay where they are
    StoredModel& operator=(StoredModel&&) = default;
};

//! Throws Error naming file and key or tensor where configuration, index, shards and xlrm.json do not agree: what config.json
//! names must be there (the head of its class, as many labels), and a reward head that it does not name may not.
StoredModel open_model(const std::filesystem::path& folder);

//! Throws Error where `want` is an LM head and config.json names a classifier without one: a tied embedding would pass for its
//! head.
void require_kind(const StoredModel& model, HeadKind want);

//! Every tensor of `layout` is there in its shape, and every one that is there belongs to the model. Returns those that are there
//! and not read: heads that the layout does not have, and buffers that every reader computes anew. `new_head`: score.weight is
//! not read. `label`: as load_model has it.
std::vector<std::string> account_for_tensors(const StoredModel& model, const ParameterLayout& layout, bool new_head,
                                             std::int64_t label);

//! "[16, 24]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace xlrm
