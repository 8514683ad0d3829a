#pragma once

#include <sentencepiece_processor.h>

#include <string>
#include <string_view>

#include "sentencepiece_spec.hpp"

namespace xlrm {

//! A sentencepiece model's normal form of a text, with "▁" for blanks: the library's own bytes. Where the model replaces no characters
//! (LLaMA's and those made from it) it is made here, since the library also notes where each byte came from.
class SentencepieceNormalizer {
public:
    //! `processor` must outlive this.
    SentencepieceNormalizer(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec)
        : processor_(processor), spec_(spec), plain_(!spec.charsmap && !spec.user_defined && !spec.remove_extra_blanks) {}

    //! Replaces `normalized`. `text` is valid UTF-8. False where the library has an error.
    bool apply(std::string_view text, std::string& normalized) const;

private:
    const sentencepiece::SentencePieceProcessor& processor_;
    const SentencepieceSpec spec_;
    const bool plain_;
};

}  // namespace xlrm
