#pragma once

#include <sentencepiece_processor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_trie.hpp"
#include "loan.hpp"
#include "sentencepiece_normalizer.hpp"

namespace xlrm {

//! Unigram encoding by a sentencepiece model: of all ways to cut the normalised text the one of largest sum of scores, the first
//! found of equal ones. Sums are kept in fp32 from the text's begin on and compared before they are rounded, as in the library
//! (unigram::Model::EncodeOptimized of sentencepiece 0.2.1), so that the ids are its own even where rounding decides; what the
//! library does besides, pieces and surfaces as messages, is most of its time.
class SentencepieceUnigram {
public:
    //! `processor` has loaded the model of `spec`; it and `normalizer` must outlive this.
    SentencepieceUnigram(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec,
                         const SentencepieceNormalizer& normalizer);

    //! Appends the ids of a text (valid UTF-8). False where the library must encode it, `ids` being as before: other kinds of
    //! models, and those with pieces that the user defined.
    bool encode(std::string_view text, std::vector<std::int32_t>& ids) const;

private:
    struct End {  //!< of the best way to an offset
        float score = 0.0F;
        std::int32_t begin = -1;  //!< of its last piece; -1: nothing ends here yet
        std::int32_t id = -1;
    };
    struct Scratch {
        std::string normalized;
        std::vector<End> ends;
        std::vector<std::int32_t> path;  //!< offsets at which pieces end, last first
    };
    void best_ways(std::string_view text, std::vector<End>& ends) const;
    void append_unknown(std::string_view piece, bool behind_unknown, std::vector<std::int32_t>& ids) const;

    const SentencepieceNormalizer& normalizer_;
    const bool usable_, byte_fallback_;
    ByteTrie pieces_;
    std::vector<float> scores_;
    float unknown_score_ = 0.0F;
    std::int32_t unknown_ = -1;
    std::array<std::int32_t, 256> bytes_{};  //!< pieces <0x00> … <0xFF>
    Lender<Scratch> scratch_;
};

}  // namespace xlrm
