#pragma once

#include <filesystem>
#include <string>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! The special tokens that a chat template of `model_dir` sees as variables, by name: `special_tokens_map` of the tokenizer that
//! AutoTokenizer of transformers 5.23 loads from there. They are those that the folder names (special_tokens.hpp), and for a name
//! that it does not give what the class of the tokenizer has (`tokenizer_class`, or that of the model's type).
//!
//! A name that is null is there as null: it is named, and has no value. Where the folder has neither file nor class, BOS and EOS
//! are those of the family whose turn markers stand in `source`. Throws Error naming file and key for a token that is no text.
Json template_tokens(const std::filesystem::path& model_dir, const std::string& source);

}  // namespace xlrm
