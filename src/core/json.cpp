#include "xlrm/core/json.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

Json parse_json(std::string_view text, std::string_view what) {
    try {
        return Json::parse(text);
    } catch (const Json::parse_error& error) {
        const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
        const std::size_t begin = reason.find("] ");
        fail(std::string(what) + ": not valid JSON (" + (begin == std::string::npos ? reason : reason.substr(begin + 2)) + ")");
    }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

}  // namespace xlrm
