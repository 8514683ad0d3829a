#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

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

//! Words already merged: bytes → ids. One per thread; emptied when full, so its memory is bounded.
class WordCache {
public:
    WordCache();
    //! Ids of the word, or nullptr; `count` is set.
    const std::int32_t* find(std::string_view word, std::uint64_t hash, std::uint32_t& count) const;
    void insert(std::string_view word, std::uint64_t hash, const std::int32_t* ids, std::uint32_t count);
    static std::uint64_t hash(std::string_view word);

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t word = 0, length = 0;  // length 0 = free
        std::uint32_t ids = 0, count = 0;
    };
    std::vector<Slot> slots_;
    std::string words_;
    std::vector<std::int32_t> ids_;
    std::size_t used_ = 0;
};

//! The `model` of a byte-level tokenizer.json: type BPE.
class BpeModel {
public:
    //! Throws Error naming `where` and what is wrong or not supported.
    BpeModel(const nlohmann::json& json, const std::string& where);

    struct Scratch {
        WordCache cache;
        std::vector<std::int32_t> ids, ranks, merged, next, previous;
    };
    //! Appends the ids of one word (raw bytes, not empty).
    void encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const;
    //! Number of entries: 1 + the largest id.
    std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
    const std::unordered_map<std::string, std::int32_t>& vocab() const { return vocab_; }

private:
    void read_vocab(const nlohmann::json& json, const std::string& where);
    void read_merges(const nlohmann::json& json, const std::string& where);
    void merge(std::string_view word, Scratch& scratch) const;
    void merge_short(Scratch& scratch) const;
    void merge_long(Scratch& scratch) const;

    std::unordered_map<std::string, std::int32_t> vocab_;                     // token text → id
    std::vector<std::string> tokens_;
    std::array<std::int32_t, 256> byte_ids_{};                                // -1: the byte has no token, and is dropped
    MergeTable merges_;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return WordCache::hash(text); }
    };
    bool ignore_merges_ = false;
    std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> whole_words_;  // bytes → id, for ignore_merges
};

}  // namespace xlrm
