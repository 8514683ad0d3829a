#pragma once

#include <sentencepiece_processor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loan.hpp"
#include "subword_model.hpp"

namespace xlrm {

//! Byte pair encoding by a sentencepiece model, word by word: no piece of most models joins "▁" (a blank) to what stands before it, so the
//! ids of a normalised text are those of its words one after another, and a word that was seen before is looked up. The ids are the
//! library's own. Unigram models are left to the library: its sums of scores, and so ties, depend on the whole text.
class SentencepieceWords {
public:
    //! `serialized`: the model that `processor` has loaded, which must outlive this.
    SentencepieceWords(const sentencepiece::SentencePieceProcessor& processor, std::string_view serialized);

    //! Appends the ids of a text. False where it must be encoded whole, `ids` being as before.
    bool encode(std::string_view text, std::vector<std::int32_t>& ids) const;

private:
    struct Scratch {
        WordCache cache;
        std::vector<int> pieces;
        std::string raw, normalized;
    };
    bool encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const;
    bool encode_new(std::string_view word, Scratch& scratch) const;

    const sentencepiece::SentencePieceProcessor& processor_;
    bool cuts_ = false;
    std::int32_t blank_ = -1;
    Lender<Scratch> scratch_;
};

}  // namespace xlrm
