#pragma once

#include <nlohmann/json.hpp>

#include "byte_trie.hpp"
#include "subword_model.hpp"

namespace xlrm {

//! Unigram: of all ways to cut a word into pieces the one of largest sum of scores, the first found of equal ones (sums in fp64
//! from the word's begin on, as the reference adds them). A character that is no piece is the unknown piece, at the lowest score
//! less 10; a run of them becomes its bytes <0x00> … <0xFF> (`byte_fallback`, where all of them are there), else one unknown
//! token.
class UnigramModel final : public SubwordModel {
public:
    //! Throws Error naming `where` and what is wrong.
    UnigramModel(const nlohmann::json& json, const std::string& where);
    void encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const override;

private:
    void best_path(std::string_view word, Scratch& scratch) const;
    void append_unknown(std::string_view text, std::vector<std::int32_t>& ids) const;
    std::string where_;
    ByteTrie trie_;
    std::vector<double> scores_;
    double unknown_score_ = 0;
    std::int32_t unk_ = -1;
    bool byte_fallback_ = false;
};

}  // namespace xlrm
