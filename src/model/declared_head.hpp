#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "xlrm/model/parameters.hpp"

namespace xlrm {

//! transformers' class of a family with a head: "LlamaForSequenceClassification", "LlamaForCausalLM", "LlamaModel".
std::string class_name(const std::string& family, HeadKind head);

//! The head of the class that `architectures` of config.json names; none where the list is absent or empty. A class whose
//! arithmetic or head is not one of class_name's (ForTokenClassification, a class of another family, a model's own code) is an
//! Error naming `file` and the class.
std::optional<HeadKind> declared_head(const ModelConfig& config, const std::filesystem::path& file);

//! Labels of a classifier by num_labels and id2label, which must agree; none where config.json has neither (transformers then
//! takes two).
std::optional<std::int64_t> declared_labels(const ModelConfig& config, const std::filesystem::path& file);

}  // namespace xlrm
