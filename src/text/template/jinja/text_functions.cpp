#include <utf8proc.h>

#include "library.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm::jinja {
namespace {

void append_upper(std::string& out, char32_t c) {
    if (c == 0xDF)
        out += "SS";
    else
        append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
}

void append_lower(std::string& out, char32_t c) {
    if (c == 0x130)
        out += "i\u0307";
    else
        append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

void append_title(std::string& out, char32_t c) {
    if (c == 0xDF)
        out += "Ss";
    else
        append_utf8(out, static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))));
}

template <class Append>
std::string mapped(std::string_view text, Append append) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) append(out, next_code_point(text, at));
    return out;
}

bool cased(char32_t c) {
    const auto code = static_cast<utf8proc_int32_t>(c);
    return utf8proc_tolower(code) != code || utf8proc_toupper(code) != code || utf8proc_category(code) == UTF8PROC_CATEGORY_LL;
}

}  // namespace

std::string upper(std::string_view text) { return mapped(text, append_upper); }
std::string lower(std::string_view text) { return mapped(text, append_lower); }

std::string capitalize(std::string_view text) {
    bool first = true;
    return mapped(text, [&](std::string& out, char32_t c) {
        if (first)
            append_title(out, c);
        else
            append_lower(out, c);
        first = false;
    });
}

std::string title(std::string_view text) {
    bool inside = false;
    return mapped(text, [&](std::string& out, char32_t c) {
        if (inside)
            append_lower(out, c);
        else
            append_title(out, c);
        inside = cased(c);
    });
}

std::string strip_characters(const std::string& text, const std::optional<std::string>& characters, bool left, bool right) {
    if (characters && characters->size() > 1000) refuse("a strip of more than 1000 different characters is not supported");
    const auto removable = [&](char32_t c) {
        if (!characters) return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
        for (std::size_t at = 0; at < characters->size();) {
            if (next_code_point(*characters, at) == c) return true;
        }
        return false;
    };
    std::size_t begin = 0;
    std::size_t end = text.size();
    for (std::size_t at = 0; left && at < end && removable(next_code_point(text, at));) begin = at;
    for (std::size_t at = end; right && at > begin && removable(previous_code_point(text, at));) end = at;
    return text.substr(begin, end - begin);
}

std::string replace_all(const std::string& text, const std::string& old, const std::string& with, std::int64_t count) {
    std::string out;
    std::size_t at = 0;
    if (old.empty()) {  // before each character and at the end
        for (; count != 0; --count) {
            out += with;
            require_short(out.size());
            if (at == text.size()) return out;
            const std::size_t begin = at;
            next_code_point(text, at);
            out.append(text, begin, at - begin);
        }
        return out.append(text, at);
    }
    for (std::size_t found = 0; count != 0 && (found = find_in(text, old, at)) != std::string::npos; --count) {
        out.append(text, at, found - at).append(with);
        require_short(out.size());
        at = found + old.size();
    }
    return out.append(text, at);
}

std::string escape_html(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '\'')
            out += "&#39;";
        else if (c == '"')
            out += "&#34;";
        else
            out += c;
    }
    return out;
}

Value added(const Value& a, const Value& b) {
    const bool a_safe = a.text() != nullptr && a.text()->safe;
    const bool b_safe = b.text() != nullptr && b.text()->safe;
    const bool safe = a_safe || b_safe;
    const auto part = [&](const Value& value, bool own) { return safe && !own ? escape_html(to_text(value)) : to_text(value); };
    return {part(a, a_safe) + part(b, b_safe), safe};
}

}  // namespace xlrm::jinja
