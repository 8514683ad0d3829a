#pragma once

#include <nlohmann/json.hpp>

#include "subword_model.hpp"

namespace xlrm {

//! Pieces of a unigram model as a trie of bytes in one hash table.
class PieceTrie {
public:
    void insert(const std::string& piece, std::int32_t id);
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    std::uint32_t child(std::uint32_t node, unsigned char byte) const;  //!< node 0 is the root
    std::int32_t id(std::uint32_t node) const { return ids_[node]; }    //!< -1: not a piece

private:
    struct Slot {
        std::uint64_t key = ~std::uint64_t{0};
        std::uint32_t node = kNone;
    };
    static std::uint64_t key_of(std::uint32_t node, unsigned char byte) { return (std::uint64_t{node} << 8U) | byte; }
    std::size_t place(std::uint64_t key) const;
    void grow();
    std::vector<Slot> slots_ = std::vector<Slot>(1024);
    std::vector<std::int32_t> ids_ = std::vector<std::int32_t>(1, -1);
};

//! Unigram: of all ways to cut a word into pieces the one of largest sum of scores, the first found of equal ones (sums in fp64
//! from the word's begin on, as the reference adds them). A character that is no piece is the unknown piece, at the lowest score
//! less 10; a run of them becomes its bytes <0x00> … <0xFF> (`byte_fallback`, where all of them are there), else one unknown token.
class UnigramModel final : public SubwordModel {
public:
    //! Throws Error naming `where` and what is wrong.
    UnigramModel(const nlohmann::json& json, const std::string& where);
    void encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const override;

private:
    void best_path(std::string_view word, Scratch& scratch) const;
    void append_unknown(std::string_view text, std::vector<std::int32_t>& ids) const;
    std::string where_;
    PieceTrie trie_;
    std::vector<double> scores_;
    double unknown_score_ = 0;
    std::int32_t unk_ = -1;
    bool byte_fallback_ = false;
};

}  // namespace xlrm
