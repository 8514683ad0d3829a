#include "xlrm/core/utf8.hpp"

#include <utf8proc.h>

#include <cstring>

namespace xlrm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the well-formed sequence at `at`, or 0; `bad` is then the length of the maximal ill-formed part (Unicode table 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at, std::size_t& bad) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    bad = 1;
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (std::size_t i = 1; i < length; ++i) {
        if (at + i >= text.size() || byte(at + i) < low || byte(at + i) > high) {
            bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

}  // namespace

std::size_t skip_ascii(std::string_view text, std::size_t at) {
    for (std::uint64_t eight = 0; at + 8 <= text.size(); at += 8) {
        std::memcpy(&eight, text.data() + at, 8);
        if ((eight & 0x8080808080808080ULL) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at;
}

bool is_valid_utf8(std::string_view text) {
    std::size_t bad = 0;
    for (std::size_t at = skip_ascii(text, 0); at < text.size();) {
        const std::size_t length = sequence_length(text, at, bad);
        if (length == 0) return false;
        at += length;
        if (length == 1) at = skip_ascii(text, at);
    }
    return true;
}

std::string replace_invalid_utf8(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    std::size_t bad = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequence_length(text, at, bad);
        clean.append(length == 0 ? kReplacement : text.substr(at, length));
        at += length == 0 ? bad : length;
    }
    return clean;
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
    const char32_t lead = byte(at);
    if (lead < 0x80) {
        ++at;
        return lead;
    }
    const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = lead & (0xFFU >> (length + 1));
    for (int i = 1; i < length; ++i) code = (code << 6U) | (byte(at + i) & 0x3FU);
    at += static_cast<std::size_t>(length);
    return code;
}

char32_t previous_code_point(std::string_view text, std::size_t& at) {
    --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
    std::size_t from = at;
    return next_code_point(text, from);
}

std::int64_t count_code_points(std::string_view text) {
    std::int64_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return count;
}

void append_utf8(std::string& text, char32_t code_point) {
    utf8proc_uint8_t bytes[4];
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool is_letter(char32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_white_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view strip(std::string_view text) {
    // Length of the character that begins at `at` if it is one to remove, else 0; bytes that are no UTF-8 stay.
    const auto removable = [&](std::size_t at) -> std::size_t {
        std::size_t bad = 0;
        const std::size_t length = sequence_length(text, at, bad);
        if (length == 0) return 0;
        std::size_t next = at;
        const char32_t c = next_code_point(text, next);
        return is_white_space(c) || (c >= 0x1C && c <= 0x1F) ? length : 0;
    };
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t length = removable(begin);
        if (length == 0) break;
        begin += length;
    }
    std::size_t end = text.size();
    while (end > begin) {
        std::size_t at = end - 1;
        while (at > begin && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
        if (at + removable(at) != end) break;
        end = at;
    }
    return text.substr(begin, end - begin);
}

}  // namespace xlrm
