#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xlrm {

//! Letters of a text by script.
struct LetterCounts {
    std::int64_t hangul = 0, kana = 0, han = 0, others = 0;
};
//! REQUIRES: valid UTF-8.
LetterCounts count_letters(std::string_view text);

//! "ko", "ja" or "zh" where the letters say so, else "".
std::string language_of_letters(const LetterCounts& letters);

}  // namespace xlrm
