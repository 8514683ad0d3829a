#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "subword_model.hpp"

namespace xlrm {

//! Open-addressing table of merges: (left id, right id) → (rank, merged id).
class MergeTable {
public:
    static constexpr std::int32_t kNone = INT32_MAX;
    struct Merge {
        std::int32_t rank = kNone;
        std::int32_t merged = -1;
    };
    explicit MergeTable(std::size_t count = 0);
    //! A pair that is given again takes the later merge.
    void set(std::int32_t left, std::int32_t right, Merge merge);
    Merge find(std::int32_t left, std::int32_t right) const;

private:
    struct Slot {
        std::uint64_t key = ~std::uint64_t{0};
        Merge merge;
    };
    std::size_t place(std::uint64_t key) const;
    std::vector<Slot> slots_;
};

//! Byte pair encoding. A word's symbols are its characters, each with `continuing_subword_prefix` (from the second on) and
//! `end_of_word_suffix` (the last); a symbol that the vocabulary lacks becomes its bytes <0x00> … <0xFF> (`byte_fallback`, where
//! all of them are there), else `unk_token` (one for a run of them with `fuse_unk`), else nothing. Then the pair of lowest rank
//! merges, the leftmost of equal ones, until none is left. With `ignore_merges` a word that is a token stays whole.
class BpeModel final : public SubwordModel {
public:
    //! Throws Error naming `where` and what is wrong or not supported (dropout).
    BpeModel(const nlohmann::json& json, const std::string& where);

    //! Whether words may come as raw bytes in place of the byte alphabet's characters, with the same ids.
    bool takes_bytes() const;
    void use_bytes();

    void encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const override;

private:
    void read_vocab(const nlohmann::json& json, const std::string& where);
    void read_merges(const nlohmann::json& json, const std::string& where);
    void read_characters();
    void encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const;
    void spell(std::string_view word, std::vector<std::int32_t>& ids) const;
    std::int32_t symbol(std::string_view word, std::size_t begin, std::size_t end, char32_t code) const;
    bool spell_bytes(std::string_view symbol, std::vector<std::int32_t>& ids) const;
    void merge(Scratch& scratch) const;
    void merge_short(Scratch& scratch) const;
    void merge_long(Scratch& scratch) const;

    std::string where_;
    MergeTable merges_;
    bool bytes_ = false;                        // words are raw bytes
    std::array<std::int32_t, 256> byte_ids_{};  // of the byte alphabet's characters; -1: dropped
    std::vector<std::int32_t> character_ids_;   // by code point; -1 or beyond the end: not in the vocabulary
    std::array<std::int32_t, 256> fallback_{};  // of <0x00> … <0xFF>
    std::string prefix_, suffix_, unk_token_;
    bool has_unk_ = false, fuse_unk_ = false, byte_fallback_ = false, ignore_merges_ = false;
    std::int32_t unk_ = -1;
    // No merge joins "▁" to what stands before it, so a text may be cut there and its words looked up.
    bool cuts_ = false;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return WordCache::hash(text); }
    };
    std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> whole_words_;  // for ignore_merges
};

}  // namespace xlrm
