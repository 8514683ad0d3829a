#include "xlrm/core/json.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"

namespace xlrm {
namespace {

bool is_deeper(std::string_view text, std::int64_t levels) {
    std::int64_t depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
        } else if (c == '[' || c == '{') {
            if (++depth > levels) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what, std::int64_t max_depth) {
    if (max_depth != kAnyDepth && is_deeper(text, max_depth)) {
        fail(std::string(what) + ": not valid JSON here (more than " + std::to_string(max_depth) +
             " lists or objects within one another)");
    }
    try {
        return Json::parse(text);
    } catch (const Json::exception& error) {  // parse_error, and out_of_range for 1e400
        // "[json.exception.parse_error.101] parse error at line 1, …", which may cite bytes that are not UTF-8
        const std::string reason = Json::parse(dump_line(error.what())).get<std::string>();
        const std::size_t begin = reason.find("] ");
        fail(std::string(what) + ": not valid JSON (" + (begin == std::string::npos ? reason : reason.substr(begin + 2)) + ")");
    }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

std::string dump_line(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace xlrm
