#include "option_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/core/lists.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

namespace {

template <class Number>
Number parse_number(const std::string& text, const char* kind) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data(), end, value);
    if (status == std::errc::result_out_of_range) fail("\"" + text + "\" is out of range", ExitCode::usage);
    if (status != std::errc() || stop != end) fail("\"" + text + "\" is not " + kind, ExitCode::usage);
    return value;
}

bool is_yes(const std::string& text) { return text == "yes" || text == "true" || text == "1" || text == "on"; }
bool is_no(const std::string& text) { return text == "no" || text == "false" || text == "0" || text == "off"; }

//! Insertions, deletions, substitutions and swaps of neighbours that lead from a to b.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::int64_t parse_integer(const std::string& text, std::int64_t least, std::int64_t most) {
    const std::int64_t value = parse_number<std::int64_t>(text, "a whole number");
    if (value < least || value > most) fail("\"" + text + "\" is out of range", ExitCode::usage);
    return value;
}

double parse_real(const std::string& text) {
    const double value = parse_number<double>(text, "a number");
    if (!std::isfinite(value)) fail("\"" + text + "\" is not a finite number", ExitCode::usage);
    return value;
}

bool is_flag_value(const std::string& text) { return is_yes(text) || is_no(text); }

bool parse_flag(const std::string& text) {
    if (!is_flag_value(text)) fail("\"" + text + "\" is not yes or no", ExitCode::usage);
    return is_yes(text);
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

std::vector<std::string> split_list(const std::string& text, char separator) {
    std::vector<std::string> parts;
    if (trimmed(text).empty()) return parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(trimmed(text.substr(begin, end - begin)));
        if (parts.back().empty()) {
            fail("\"" + text + "\" has an empty entry; write a" + separator + "b" + separator + "c", ExitCode::usage);
        }
        begin = end + 1;
    }
    return parts;
}

std::string show_real(double value) {
    char text[32];
    const auto result = std::to_chars(text, text + sizeof text, value);
    return {text, result.ptr};
}

std::string show_list(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
    return text;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(name.size() / 3, 1) + 1;
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace xlrm
