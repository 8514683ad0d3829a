#include "sentencepiece_normalizer.hpp"

#include "subword_model.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

SentencepieceNormalizer::SentencepieceNormalizer(const sentencepiece::SentencePieceProcessor& processor,
                                                 const SentencepieceSpec& spec)
    : processor_(processor),
      own_(!spec.user_defined),
      remove_extra_(spec.remove_extra_blanks),
      prefix_blank_(spec.dummy_prefix && !spec.blank_as_suffix),
      suffix_blank_(spec.dummy_prefix && spec.blank_as_suffix),
      blank_(spec.escape_blanks ? kBlank : " ") {
    if (!spec.charsmap.empty()) map_.emplace(spec.charsmap, "sentencepiece model");
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        bool plain = c != ' ' && (!map_ || (is_ascii(c) && map_->longest(std::string_view(&c, 1)).bytes == 0));
        for (int next = 0; map_ && plain && next < 128; ++next) plain = !map_->leads_on(std::string{c, static_cast<char>(next)});
        plain_[static_cast<std::size_t>(byte)] = plain;
    }
}

// What the beginning of `text` becomes, and how much of it that is.
Charsmap::Match SentencepieceNormalizer::prefix(std::string_view text) const {
    if (map_) {
        if (const Charsmap::Match match = map_->longest(text); match.bytes > 0) return match;
    }
    std::size_t behind = 0;
    next_code_point(text, behind);
    return {behind, text.substr(0, behind)};
}

// The end of a run of characters that stay as they are.
std::size_t SentencepieceNormalizer::plain_end(std::string_view text, std::size_t begin) const {
    std::size_t end = begin;
    while (end < text.size() && plain_[static_cast<unsigned char>(text[end])] &&
           (!map_ || end + 1 == text.size() || is_ascii(text[end + 1])))
        ++end;
    return end;
}

void SentencepieceNormalizer::append(std::string_view form, std::string& normalized) const {
    for (const char c : form) {
        if (c == ' ')
            normalized += blank_;
        else
            normalized += c;
    }
}

bool SentencepieceNormalizer::apply(std::string_view text, std::string& normalized) const {
    if (!own_) return processor_.Normalize(text, &normalized).ok();
    normalized.clear();
    std::size_t at = 0;
    while (remove_extra_ && at < text.size()) {
        const Charsmap::Match first = prefix(text.substr(at));
        if (first.replacement != " ") break;
        at += first.bytes;
    }
    if (at == text.size()) return true;
    if (prefix_blank_) normalized += blank_;
    bool behind_blank = remove_extra_;
    while (at < text.size()) {
        if (const std::size_t end = plain_end(text, at); end > at) {
            normalized.append(text, at, end - at);
            at = end;
            behind_blank = false;
            continue;
        }
        Charsmap::Match next = prefix(text.substr(at));
        at += next.bytes;
        while (behind_blank && next.replacement.starts_with(' ')) next.replacement.remove_prefix(1);
        if (next.replacement.empty()) continue;
        append(next.replacement, normalized);
        behind_blank = remove_extra_ && next.replacement.ends_with(' ');
    }
    while (remove_extra_ && normalized.ends_with(blank_)) normalized.resize(normalized.size() - blank_.size());
    if (suffix_blank_) normalized += blank_;
    return true;
}

}  // namespace xlrm
