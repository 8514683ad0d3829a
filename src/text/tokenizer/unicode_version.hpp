#pragma once

#include <string>
#include <string_view>

namespace xlrm {

// The libraries know different versions of Unicode: Hugging Face's normal forms are those of 9.0, its expressions those of 16.0,
// and the PCRE2 and utf8proc of a machine have their own. These tables make the results those of Hugging Face's library.

bool in_unicode_9(char32_t code_point);
//! General category of a code point that Unicode 15.0 to 16.0 assigned; empty for all others.
std::string_view newer_category(char32_t code_point);
//! Whether the text has such a code point; fast. REQUIRES: valid UTF-8.
bool has_newer(std::string_view text);
//! Such code points of a property (a category like "L" or "Lu", a script as "sc:Han", "Alphabetic"), as members of a PCRE2 class.
std::string newer_members(std::string_view property);

}  // namespace xlrm
