#include "sentencepiece_normalizer.hpp"

#include <algorithm>

namespace xlrm {
namespace {

constexpr std::string_view kBlank = "\u2581";

}  // namespace

bool SentencepieceNormalizer::apply(std::string_view text, std::string& normalized) const {
    if (!plain_) return processor_.Normalize(text, &normalized).ok();
    normalized.clear();
    if (text.empty()) return true;
    const std::string_view blank = spec_.escape_blanks ? kBlank : " ";
    const auto blanks = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
    normalized.reserve(text.size() + (blanks + 1) * blank.size());
    if (spec_.dummy_prefix && !spec_.blank_as_suffix) normalized += blank;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        normalized.append(text, begin, end - begin);
        if (end == text.size()) break;
        normalized += blank;
        begin = end + 1;
    }
    if (spec_.dummy_prefix && spec_.blank_as_suffix) normalized += blank;
    return true;
}

}  // namespace xlrm
