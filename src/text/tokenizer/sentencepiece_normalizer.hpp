#pragma once

#include <sentencepiece_processor.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "charsmap.hpp"
#include "sentencepiece_spec.hpp"

namespace xlrm {

//! A sentencepiece model's normal form of a text, with "▁" for blanks: the library's own bytes (Normalizer::Normalize of
//! sentencepiece 0.2.1), without its notes of where each byte came from. Models with pieces that the user defined are left to the
//! library.
class SentencepieceNormalizer {
public:
    //! `processor` must outlive this; spec.charsmap is read here alone.
    SentencepieceNormalizer(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec);

    //! Replaces `normalized`. `text` is valid UTF-8. False where the library has an error.
    bool apply(std::string_view text, std::string& normalized) const;

private:
    Charsmap::Match prefix(std::string_view text) const;
    std::size_t plain_end(std::string_view text, std::size_t begin) const;
    void append(std::string_view form, std::string& normalized) const;

    const sentencepiece::SentencePieceProcessor& processor_;
    const bool own_, remove_extra_, prefix_blank_, suffix_blank_;
    const std::string_view blank_;
    std::optional<Charsmap> map_;
    //! Bytes that stand for themselves, before an ASCII character or at the end where there is a map.
    std::array<bool, 256> plain_{};
};

}  // namespace xlrm
