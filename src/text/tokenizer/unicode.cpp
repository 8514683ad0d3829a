#include "unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "unicode_version.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {

bool is_word_character(char32_t c) {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    if (c == 0x200C || c == 0x200D) return true;  // join controls
    if ((c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
        (c >= 0x1F170 && c <= 0x1F189)) {
        return true;  // alphabetic symbols
    }
    if (const std::string_view newer = newer_category(c); !newer.empty()) {
        return newer[0] == 'L' || newer[0] == 'M' || newer == "Nd" || newer == "Nl" || newer == "Pc";
    }
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_PC:
            return true;
        default:
            return false;
    }
}

bool surely_in_form(std::string_view text, NormalForm form) {
    if (form != NormalForm::c)
        return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    // Code points below U+0300, and blocks in which each is a starter of form C that joins nothing before it.
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0xCC) {
            ++at;
            continue;
        }
        const char32_t c = next_code_point(text, at);
        const bool stable = (c >= 0x2010 && c <= 0x2027) || (c >= 0x3001 && c <= 0x3029) || (c >= 0x3041 && c <= 0x3096) ||
                            (c >= 0x309D && c <= 0x30FF) || (c >= 0x4E00 && c <= 0x9FD5) || (c >= 0xAC00 && c <= 0xD7A3) ||
                            (c >= 0xFF01 && c <= 0xFF60);
        if (!stable) return false;
    }
    return true;
}

namespace {

void append_normal(std::string_view text, NormalForm form, std::string& out) {
    if (text.empty()) return;
    int options = UTF8PROC_STABLE;
    options |= form == NormalForm::c || form == NormalForm::kc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
    if (form == NormalForm::kc || form == NormalForm::kd) options |= UTF8PROC_COMPAT;
    utf8proc_uint8_t* raw = nullptr;
    const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &raw, static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
    if (length < 0) fail(std::string("text cannot be normalised (") + utf8proc_errmsg(length) + ")");
    out.append(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length));
}

// Lower case of capitals that utf8proc may not know yet; 0: none of them.
char32_t newer_lower(char32_t c) {
    switch (c) {
        case 0x1C89:
            return 0x1C8A;
        case 0xA7CB:
            return 0x264;
        case 0xA7DC:
            return 0x19B;
        case 0xA7CC:
        case 0xA7CE:
        case 0xA7D2:
        case 0xA7D4:
        case 0xA7DA:
            return c + 1;
        default:
            break;
    }
    if (c >= 0x10D50 && c <= 0x10D65) return c + 0x20;
    return c >= 0x16EA0 && c <= 0x16EB8 ? c + 0x1B : 0;
}

}  // namespace

std::string to_normal_form(std::string_view text, NormalForm form) {
    // What Unicode 9.0 had not assigned stays, and parts the text: a starter that joins nothing.
    std::string out;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        if (in_unicode_9(next_code_point(text, at))) continue;
        append_normal(text.substr(done, begin - done), form, out);
        out.append(text.substr(begin, at - begin));
        done = at;
    }
    append_normal(text.substr(done), form, out);
    return out;
}

std::string to_lower(std::string_view text) {
    std::string lower;
    lower.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char32_t code = next_code_point(text, at);
        const char32_t newer = newer_lower(code);
        if (code == 0x130)
            lower += "i\u0307";  // the one character whose lower case is two
        else
            append_utf8(lower, newer != 0 ? newer : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    }
    return lower;
}

bool is_mark(char32_t c) {
    if (c == 0x1CF2 || c == 0x1CF3) return true;         // letters from Unicode 12 on
    if (!in_unicode_9(c) || c == 0x111C9) return false;  // the latter a mark from Unicode 11 on
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}

}  // namespace xlrm
