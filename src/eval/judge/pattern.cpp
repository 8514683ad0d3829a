#include "judge/pattern.hpp"

#include <utf8proc.h>
#include <cassert>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "xlrm/core/utf8.hpp"

namespace xlrm::judge {
namespace {

bool is_decimal_digit(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_ND; }

// Digits of a script follow one another from 0 to 9; the mathematical ones are five such runs.
std::int32_t value_of_digit(char32_t c) {
    std::int32_t before = 0;
    while (is_decimal_digit(c - static_cast<char32_t>(before) - 1)) ++before;
    return before % 10;
}

}  // namespace

Pattern::Pattern(const char* expression, std::uint32_t flags) {
    std::uint32_t options = PCRE2_UTF | PCRE2_UCP;
    if ((flags & ignore_case) != 0) options |= PCRE2_CASELESS;
    if ((flags & multiline) != 0) options |= PCRE2_MULTILINE;
    const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(pcre2_compile_context_create(nullptr),
                                                                                           pcre2_compile_context_free);
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code* const code =
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression), PCRE2_ZERO_TERMINATED, options, &error, &at, context.get());
    assert(code != nullptr);
    code_ = std::shared_ptr<void>(code, [](void* held) { pcre2_code_free(static_cast<pcre2_code*>(held)); });
}

std::optional<std::vector<std::optional<std::string_view>>> Pattern::search(std::string_view text) const {
    const auto* const code = static_cast<const pcre2_code*>(code_.get());
    const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> data(pcre2_match_data_create_from_pattern(code, nullptr),
                                                                              pcre2_match_data_free);
    const int count = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data.get(), nullptr);
    if (count < 1) return {};
    const PCRE2_SIZE* const offsets = pcre2_get_ovector_pointer(data.get());
    std::vector<std::optional<std::string_view>> groups;
    for (std::uint32_t i = 0; i < pcre2_get_ovector_count(data.get()); ++i) {
        const bool there = static_cast<int>(i) < count && offsets[2 * i] != PCRE2_UNSET;
        groups.push_back(there ? std::optional(text.substr(offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i])) : std::nullopt);
    }
    return groups;
}

std::optional<std::int32_t> number_of_digits(std::string_view digits) {
    if (digits.empty() || count_code_points(digits) > 9) return {};
    std::int32_t value = 0;
    for (std::size_t at = 0; at < digits.size();) {
        const char32_t c = next_code_point(digits, at);
        if (!is_decimal_digit(c)) return {};
        value = 10 * value + value_of_digit(c);
    }
    return value;
}

bool is_word_character(char32_t c) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
    const bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    const bool number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
    return letter || number || c == U'_';
}

}  // namespace xlrm::judge
