#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm::judge {

//! A regular expression as Python's `re` reads it (Unicode classes), by PCRE2.
class Pattern {
public:
    enum Flags : std::uint32_t { none = 0, ignore_case = 1, multiline = 2 };
    //! `expression` is a literal of the program: one that does not compile is our own error.
    Pattern(const char* expression, std::uint32_t flags);
    //! Groups of the first match, group 0 first; a group that took no part is nothing. REQUIRES: valid UTF-8. No match: nothing,
    //! also where the search takes more steps than a judge's text is worth.
    std::optional<std::vector<std::optional<std::string_view>>> search(std::string_view text) const;

private:
    std::shared_ptr<void> code_;
};

//! Value of a text of decimal digits of any script, as Python's int() gives it; nothing beyond 9 digits.
std::optional<std::int32_t> number_of_digits(std::string_view digits);
//! Whether the character is one that \w matches in Python.
bool is_word_character(char32_t c);

}  // namespace xlrm::judge
