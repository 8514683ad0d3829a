#pragma once

#include <string>
#include <string_view>

namespace xlrm {

//! What detect_language gives where it does not know.
inline constexpr std::string_view kUnsureLanguage = "unsure";

//! Language that a text is in: its code as canonical_language gives it ("es", "zh", "zh-hant"), or kUnsureLanguage. The text
//! decides alone, not what was asked for.
//!
//! 1. A text whose letters are mostly Hangul, kana or Han (a letter of these counts three of any other, since it says as much) is
//!    Korean, Japanese or Chinese by the share of each; so names and code in Latin letters do not hide it.
//! 2. For all others, and to tell traditional Chinese, Compact Language Detector 2 decides.
//! 3. Function words of 23 languages are a second witness, since names and technical terms mislead CLD2 (Spanish read as English
//!    or Galician): where they clearly say another language, theirs is taken; where they only contradict, the text is unsure.
//!    Malay and Galician, which CLD2 names for Indonesian and Spanish texts too, are believed only with words of theirs.
//!    So it is where CLD2 calls its answer unreliable and the words are not clear either.
//! The rules were chosen by measurement: jobs/language_detection.md has the errors by language and length.
//! Bytes that are no UTF-8 count as U+FFFD. Throws Error where this xlrm was built without CLD2.
std::string detect_language(std::string_view text);
bool can_detect_language();

}  // namespace xlrm
