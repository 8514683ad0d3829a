#pragma once

#include <memory>

#include <nlohmann/json.hpp>

#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! load_bpe, with further entries as `added_tokens` has them (their `id` is not read), of which those that the file lacks are added behind its own.
std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& tokenizer_json, const nlohmann::json& more_added_tokens);

}  // namespace xlrm
