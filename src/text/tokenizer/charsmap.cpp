#include "charsmap.hpp"

#include <utf8proc.h>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kLongCluster = 6;  // bytes

std::uint32_t unit_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

// Fields of a unit of Darts-clone.
bool has_leaf(std::uint32_t unit) { return ((unit >> 8U) & 1U) == 1U; }
std::uint32_t label(std::uint32_t unit) { return unit & ((1U << 31U) | 0xFFU); }
std::uint32_t offset(std::uint32_t unit) { return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U); }
std::uint32_t value(std::uint32_t unit) { return unit & ((1U << 31U) - 1); }

}  // namespace

std::string decode_base64(const std::string& text, const std::string& where) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : std::string_view(text).substr(0, text.find('='))) {
        const std::size_t digit = digits.find(c);
        if (digit == std::string_view::npos) fail(where + ": damaged base64 text");
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        if ((count += 6) < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
    return bytes;
}

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
    const std::size_t size = bytes.size() < 4 ? 0 : unit_at(bytes, 0);
    if (size == 0 || size % 4 != 0 || size > bytes.size() - 4) fail(where + ": damaged character map");
    for (std::size_t at = 0; at < size; at += 4) units_.push_back(unit_at(bytes, 4 + at));
    replacements_ = bytes.substr(4 + size);
}

// Calls take(match) for each mapped prefix, the shortest first, while it returns true. Whether all of `text` leads on in the
// trie.
template <class Take>
bool Charsmap::each_prefix(std::string_view text, Take take) const {
    std::size_t node = offset(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        node ^= byte;
        if (byte == 0 || node >= units_.size() || label(units_[node]) != byte) return false;
        const std::uint32_t unit = units_[node];
        node ^= offset(unit);
        if (!has_leaf(unit)) continue;
        const std::size_t at = node < units_.size() ? value(units_[node]) : replacements_.size();
        if (at >= replacements_.size()) return false;
        if (!take(Match{i + 1, std::string_view(replacements_).substr(at, replacements_.find('\0', at) - at)})) return true;
    }
    return true;
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
    std::optional<std::string_view> found;
    each_prefix(text, [&](const Match& match) {
        found = match.replacement;
        return false;
    });
    return found;
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
    Match last;
    each_prefix(text, [&](const Match& match) {
        last = match;
        return true;
    });
    return last;
}

bool Charsmap::leads_on(std::string_view text) const {
    return each_prefix(text, [](const Match&) { return true; });
}

void Charsmap::append_cluster(std::string_view cluster, std::string& out) const {
    if (cluster.size() < kLongCluster) {
        if (const auto whole = find(cluster)) {
            out += *whole;
            return;
        }
    }
    for (std::size_t at = 0; at < cluster.size();) {
        const std::size_t begin = at;
        next_code_point(cluster, at);
        const std::string_view character = cluster.substr(begin, at - begin);
        out += find(character).value_or(character);
    }
}

std::string Charsmap::apply(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    std::size_t begin = 0;
    std::size_t at = 0;
    utf8proc_int32_t state = 0;
    char32_t last = 0;
    while (at < text.size()) {
        const std::size_t here = at;
        const char32_t code = next_code_point(text, at);
        const bool cut = here > 0 && utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(last),
                                                                      static_cast<utf8proc_int32_t>(code), &state);
        if (cut) {
            append_cluster(text.substr(begin, here - begin), out);
            begin = here;
        }
        last = code;
    }
    append_cluster(text.substr(begin), out);
    return out;
}

}  // namespace xlrm
