#include "xlrm/text/language_detect.hpp"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <array>
#include <limits>

#include "function_words.hpp"
#include "language_letters.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

// Far more than a language needs, and within the library's int.
constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

struct Guess {
    std::string code;  // CLD2's own
    bool sure = false;
};

Guess guess_of(std::string_view text) {
    text = text.substr(0, kMostBytes);
    std::size_t end = text.size();
    while (end > 0 && text.size() == kMostBytes && (static_cast<unsigned char>(text[end - 1]) & 0xC0U) == 0x80U) --end;
    std::array<CLD2::Language, 3> languages{};
    std::array<int, 3> percents{};
    std::array<double, 3> scores{};
    int bytes = 0;
    int valid = 0;
    bool reliable = false;
    const CLD2::CLDHints no_hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), static_cast<int>(end), true, &no_hints, 0, languages.data(),
                                            percents.data(), scores.data(), nullptr, &bytes, &reliable, &valid);
    const bool sure = reliable && languages[0] != CLD2::UNKNOWN_LANGUAGE;
    return {CLD2::LanguageCode(languages[0]), sure};
}

// A language that CLD2 names for texts of another, far larger one: believed only where the words agree.
bool is_doubtful(const std::string& code, const FunctionWordCounts& words) {
    return (code == "ms" && words.of("ms") <= words.of("id")) || (code == "gl" && words.of("gl") <= words.of("es"));
}

// Two witnesses. The words decide where they are clear; where they only contradict, nothing does.
std::string language_of(const Guess& guess, const FunctionWordCounts& words) {
    constexpr std::int64_t kContradiction = 2;
    const std::string winner = words.clear_winner();
    if (!guess.sure) return winner;
    const std::string code = guess.code == "jw" ? "jv" : canonical_language(guess.code);  // jw: withdrawn from ISO 639
    if (is_doubtful(code, words)) return winner;
    if (!FunctionWordCounts::knows(code)) return winner.empty() ? code : "";
    return words.most() - words.of(code) < kContradiction ? code : winner;
}

}  // namespace

bool can_detect_language() { return true; }

std::string detect_language(std::string_view text) {
    std::string clean;
    if (!is_valid_utf8(text)) text = clean = replace_invalid_utf8(text);
    const std::string by_letters = language_of_letters(count_letters(text));
    if (by_letters == "ko" || by_letters == "ja") return by_letters;
    const Guess guess = guess_of(text);
    if (by_letters == "zh") return guess.sure && guess.code == "zh-Hant" ? "zh-hant" : "zh";
    const std::string code = language_of(guess, FunctionWordCounts(text));
    return code.empty() ? std::string(kUnsureLanguage) : code;
}

}  // namespace xlrm
