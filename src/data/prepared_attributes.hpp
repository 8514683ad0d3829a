#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! Writes what made the items, and their report, into set.attributes; `langs` as the input calls those that were asked for.
void describe_prepared(const PrepareOptions& options, const std::vector<std::string>& langs, const Tokenizer& tokenizer,
                       const ChatTemplate& chat_template, Prepared& prepared);

//! Throws Error where the attributes are those of items for another tokenizer, template or date.
void check_prepared(const Json& attributes, const std::filesystem::path& path, const Tokenizer& tokenizer,
                    const ChatTemplate& chat_template);

}  // namespace xlrm
