#include "language_letters.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

bool between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

bool is_hangul(char32_t c) {
    return between(c, 0xAC00, 0xD7A3) || between(c, 0x1100, 0x11FF) || between(c, 0x3131, 0x318E) || between(c, 0xA960, 0xA97C) ||
           between(c, 0xD7B0, 0xD7FB) || between(c, 0xFFA0, 0xFFDC);
}
bool is_kana(char32_t c) { return between(c, 0x3041, 0x30FF) || between(c, 0x31F0, 0x31FF) || between(c, 0xFF66, 0xFF9D); }
bool is_han(char32_t c) {
    return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) || between(c, 0xF900, 0xFAFF) || between(c, 0x20000, 0x323AF);
}

// What a Hangul, kana or Han letter counts of another, and the least share of kana in Japanese.
constexpr std::int64_t kWeight = 3;
constexpr std::int64_t kKanaShare = 10;

}  // namespace

LetterCounts count_letters(std::string_view text) {
    LetterCounts letters;
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_code_point(text, at);
        if (is_hangul(c))
            ++letters.hangul;
        else if (is_kana(c))
            ++letters.kana;
        else if (is_han(c))
            ++letters.han;
        else if (is_letter(c))
            ++letters.others;
    }
    return letters;
}

std::string language_of_letters(const LetterCounts& letters) {
    const std::int64_t east_asian = letters.hangul + letters.kana + letters.han;
    if (east_asian == 0 || kWeight * east_asian < letters.others) return "";
    if (letters.hangul >= letters.kana + letters.han) return "ko";
    return kKanaShare * letters.kana >= letters.kana + letters.han ? "ja" : "zh";
}

}  // namespace xlrm
