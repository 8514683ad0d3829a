#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "xlrm/model/config.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! Ids that end a text, ascending: those of generation_config.json, or where it names none of config.json, as transformers takes
//! them; the tokenizer's EOS; and the special token that the template writes directly behind an answer.
std::vector<std::int32_t> end_tokens(const std::filesystem::path& folder, const ModelConfig& config, const Tokenizer& tokenizer,
                                     const ChatTemplate& chat_template);
//! Ids that a user names. Throws Error(usage) for what is none of the `vocabulary` ids.
std::vector<std::int32_t> parse_stop_ids(const std::vector<std::string>& ids, std::int64_t vocabulary);
//! A text of --stop with \n, \t, \\ and \xHH read. Throws Error(usage) for another escape.
std::string unescaped(const std::string& text);

}  // namespace xlrm
