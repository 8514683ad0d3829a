#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xlrm {

//! Valid UTF-8 as it is; otherwise each maximal ill-formed part becomes one U+FFFD, as in Unicode 3.9 (and Python, Rust, WHATWG).
std::string replace_invalid_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);
//! Offset of the first byte from `at` on that is not ASCII, or the end.
std::size_t skip_ascii(std::string_view text, std::size_t at);

//! Code point that begins at `at`, and the offset behind it. REQUIRES: valid UTF-8, at < size.
char32_t next_code_point(std::string_view text, std::size_t& at);
//! Code point that ends before `at`; `at` moves to its begin. REQUIRES: valid UTF-8, at > 0.
char32_t previous_code_point(std::string_view text, std::size_t& at);
std::int64_t count_code_points(std::string_view text);
void append_utf8(std::string& text, char32_t code_point);

//! Of Unicode's general categories Lu, Ll, Lt, Lm and Lo.
bool is_letter(char32_t code_point);
//! Unicode White_Space.
bool is_white_space(char32_t code_point);
//! The text without what Python's str.strip() removes: White_Space and U+001C … U+001F. Any bytes will do: those that are no
//! UTF-8 stay.
std::string_view strip(std::string_view text);

}  // namespace xlrm
