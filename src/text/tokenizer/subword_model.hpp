#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xlrm {

inline constexpr std::string_view kBlank = "\u2581";  //!< sentencepiece's mark of a space
inline constexpr std::size_t kCachedWord = 64;        //!< bytes; longer words seldom come again

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

//! The `model` of a tokenizer.json: one word → ids. Thread-safe for const calls.
class SubwordModel {
public:
    //! Working memory of one thread.
    struct Scratch {
        WordCache cache;
        std::vector<std::int32_t> ids, ranks, merged, next, previous;  // of a word's symbols
        std::vector<double> scores;                                    // of a word's offsets
    };
    virtual ~SubwordModel() = default;
    //! Appends the ids of one word (not empty). Throws Error where the model lacks the unknown token that the word needs.
    virtual void encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const = 0;

    //! Token text → id.
    const std::unordered_map<std::string, std::int32_t>& vocab() const { return vocab_; }
    //! Entries of the file: the first id that an added token takes.
    std::int64_t count() const { return count_; }
    std::int32_t find(const std::string& token) const;  //!< -1: none

protected:
    std::unordered_map<std::string, std::int32_t> vocab_;
    std::int64_t count_ = 0;
};

}  // namespace xlrm
