#pragma once

#include <sentencepiece_processor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loan.hpp"
#include "sentencepiece_normalizer.hpp"
#include "subword_model.hpp"

namespace xlrm {

//! Byte pair encoding by a sentencepiece model, word by word: no piece of most models joins "▁" (a blank) to what stands before
//! it, so the ids of a normalised text are those of its words one after another, and a word that was seen before is looked up.
//! The ids are the library's own.
class SentencepieceWords {
public:
    //! `processor` has loaded the model of `spec`; it and `normalizer` must outlive this.
    SentencepieceWords(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec,
                       const SentencepieceNormalizer& normalizer);

    //! Appends the ids of a text (valid UTF-8). False where it must be encoded whole, `ids` being as before.
    bool encode(std::string_view text, std::vector<std::int32_t>& ids) const;

private:
    struct Scratch {
        WordCache cache;
        std::vector<int> pieces;
        std::string text, raw, normalized;
    };
    bool encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const;
    bool encode_new(std::string_view word, Scratch& scratch) const;

    const sentencepiece::SentencePieceProcessor& processor_;
    const SentencepieceNormalizer& normalizer_;
    bool cuts_ = false;
    std::int32_t blank_ = -1;
    Lender<Scratch> scratch_;
};

}  // namespace xlrm
