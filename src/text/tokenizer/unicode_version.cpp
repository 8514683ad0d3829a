#include "unicode_version.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "unicode_tables.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

struct ScriptRange {
    std::string_view script;
    std::uint32_t first, last;
};

constexpr ScriptRange kNewerScripts[] = {
    {"sc:han", 0x2B739, 0x2B739},      {"sc:han", 0x2EBF0, 0x2EE5D},      {"sc:han", 0x31350, 0x323AF},
    {"sc:hiragana", 0x1B132, 0x1B132}, {"sc:katakana", 0x1B155, 0x1B155}, {"sc:arabic", 0x897, 0x897},
    {"sc:arabic", 0x10EC2, 0x10EC4},   {"sc:arabic", 0x10EFC, 0x10EFF},   {"sc:devanagari", 0x11B00, 0x11B09},
    {"sc:latin", 0xA7CB, 0xA7CD},      {"sc:latin", 0xA7DA, 0xA7DC},      {"sc:latin", 0x1DF25, 0x1DF2A},
    {"sc:cyrillic", 0x1C89, 0x1C8A},   {"sc:cyrillic", 0x1E030, 0x1E06D}, {"sc:cyrillic", 0x1E08F, 0x1E08F}};

void append_range(std::string& members, std::uint32_t first, std::uint32_t last) {
    char text[40];
    std::snprintf(text, sizeof text, "\\x{%x}-\\x{%x}", first, last);
    members += text;
}

}  // namespace

bool in_unicode_9(char32_t code) {
    if ((code >= 0x4E00 && code < 0x9FD6) || (code >= 0xAC00 && code < 0xD7A4)) return true;
    const std::uint32_t* end = kUnicode9Flips + kUnicode9FlipCount;
    return (std::upper_bound(kUnicode9Flips, end, static_cast<std::uint32_t>(code)) - kUnicode9Flips) % 2 == 1;
}

std::string_view newer_category(char32_t code) {
    const NewerRange* end = kNewerRanges + kNewerRangeCount;
    const NewerRange* found =
        std::lower_bound(kNewerRanges, end, code, [](const NewerRange& range, char32_t c) { return range.last < c; });
    return found != end && found->first <= code ? std::string_view(found->category) : std::string_view();
}

bool has_newer(std::string_view text) {
    for (std::size_t at = skip_ascii(text, 0); at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0xE0) {
            at = byte < 0x80 ? skip_ascii(text, at) : at + 1;
        } else if (byte > 0xE3 && byte < 0xF0 && byte != 0xEA) {
            at += 3;  // U+4000 … U+9FFF and U+B000 … U+FFFF had nothing new
        } else if (!newer_category(next_code_point(text, at)).empty()) {
            return true;
        }
    }
    return false;
}

std::string newer_members(std::string_view property) {
    std::string name(property);
    std::string members;
    if (name.starts_with("sc:")) {
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        for (const ScriptRange& range : kNewerScripts) {
            if (range.script == name) append_range(members, range.first, range.last);
        }
        return members;
    }
    for (int i = 0; i < kNewerRangeCount; ++i) {
        const std::string_view category = kNewerRanges[i].category;
        const bool belongs =
            name == "Alphabetic" ? category[0] == 'L' || category == "Nl" : name.size() <= 2 && category.starts_with(name);
        if (belongs) append_range(members, kNewerRanges[i].first, kNewerRanges[i].last);
    }
    return members;
}

}  // namespace xlrm
