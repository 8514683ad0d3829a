#include "xlrm/core/settings_file.hpp"

#include <algorithm>
#include <string_view>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

constexpr int kDeepest = 256;

// Deepest nesting of lists and objects in a JSON text.
int nesting(std::string_view text) {
    int depth = 0, deepest = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            deepest = std::max(deepest, ++depth);
        else if (!quoted && (c == ']' || c == '}'))
            --depth;
    }
    return deepest;
}

}  // namespace

Json read_settings(const std::filesystem::path& path) {
    const std::string text = read_file(path);
    if (const int depth = nesting(text); depth > kDeepest) {
        fail(path.string() + ": lists and objects are nested " + std::to_string(depth) + " deep (settings are at most " +
             std::to_string(kDeepest) + "); get the file again");
    }
    return parse_json(text, path.string());
}

}  // namespace xlrm
