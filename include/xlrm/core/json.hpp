#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace xlrm {

//! Keys keep the order in which they were written, so equal content gives equal bytes.
using Json = nlohmann::ordered_json;

//! Parses one JSON text; `what` ("prefs.jsonl:17") stands in the message. Throws Error with the parser's reason.
Json parse_json(std::string_view text, std::string_view what);

//! Parses a JSON file. Throws Error naming the file.
Json read_json(const std::filesystem::path& path);

}  // namespace xlrm
