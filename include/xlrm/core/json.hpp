#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace xlrm {

//! Keys keep the order in which they were written, so equal content gives equal bytes.
using Json = nlohmann::ordered_json;

inline constexpr std::int64_t kAnyDepth = -1;
//! Enough for every row; a value of this depth may be copied and written, which goes one call deeper a level.
inline constexpr std::int64_t kRowDepth = 1000;

//! Parses one JSON text; `what` ("prefs.jsonl:17") stands in the message. Throws Error with the parser's reason, also for a
//! number beyond double precision, and for more than `max_depth` lists or objects within one another.
Json parse_json(std::string_view text, std::string_view what, std::int64_t max_depth = kAnyDepth);

//! Parses a JSON file. Throws Error naming the file.
Json read_json(const std::filesystem::path& path);

}  // namespace xlrm
