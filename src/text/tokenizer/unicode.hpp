#pragma once

#include <string>
#include <string_view>

namespace xlrm {

//! A word character of Unicode regular expressions: alphabetic, mark, decimal number, connector, join control.
bool is_word_character(char32_t code_point);

//! Normal forms of Unicode 9.0, as in Hugging Face's library: later code points stay. REQUIRES: valid UTF-8.
enum class NormalForm { c, d, kc, kd };
std::string to_normal_form(std::string_view text, NormalForm form);
//! Whether the text surely is in the form; cheap.
bool surely_in_form(std::string_view text, NormalForm form);

//! Each character's full lower case, without regard to its neighbours.
std::string to_lower(std::string_view text);
//! General category M in Unicode 9.0.
bool is_mark(char32_t code_point);

}  // namespace xlrm
