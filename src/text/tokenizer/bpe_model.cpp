#include "bpe_model.hpp"

#include <algorithm>
#include <queue>

#include "byte_level.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kLongWord = 48;  // symbols from which a heap beats a scan for the lowest rank

}  // namespace

bool BpeModel::takes_bytes() const {
    if (!prefix_.empty() || !suffix_.empty()) return false;
    const bool complete = std::none_of(byte_ids_.begin(), byte_ids_.end(), [](std::int32_t id) { return id < 0; });
    return complete || (!has_unk_ && !byte_fallback_);
}

void BpeModel::use_bytes() {
    bytes_ = true;
    cuts_ = false;
    whole_words_.clear();
    if (!ignore_merges_) return;
    for (const auto& [token, id] : vocab_) {
        if (auto bytes = bytes_of_token(token)) whole_words_.emplace(std::move(*bytes), id);
    }
}

void BpeModel::encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
    std::size_t begin = 0;
    for (std::size_t at = 0; cuts_ && (at = word.find(kBlank, at)) != std::string_view::npos; at += kBlank.size()) {
        if (at == begin || word.substr(0, at).ends_with(kBlank)) continue;
        encode_word(word.substr(begin, at - begin), scratch, ids);
        begin = at;
    }
    encode_word(word.substr(begin), scratch, ids);
}

void BpeModel::encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
    const bool cached = word.size() <= kCachedWord;
    const std::uint64_t hash = cached ? WordCache::hash(word) : 0;
    if (cached) {
        std::uint32_t count = 0;
        if (const std::int32_t* found = scratch.cache.find(word, hash, count)) {
            ids.insert(ids.end(), found, found + count);
            return;
        }
    }
    scratch.ids.clear();
    const auto whole = ignore_merges_ ? whole_words_.find(word) : whole_words_.end();
    if (whole != whole_words_.end()) {
        scratch.ids.push_back(whole->second);
    } else {
        spell(word, scratch.ids);
        merge(scratch);
    }
    if (cached) scratch.cache.insert(word, hash, scratch.ids.data(), static_cast<std::uint32_t>(scratch.ids.size()));
    ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

void BpeModel::spell(std::string_view word, std::vector<std::int32_t>& ids) const {
    if (bytes_) {
        for (const char c : word) {
            const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
            if (id >= 0) ids.push_back(id);
        }
        return;
    }
    bool unknown = false;  // an unknown token waits for the end of its run; bytes do not end it, as in the reference
    for (std::size_t at = 0; at < word.size();) {
        const std::size_t begin = at;
        const char32_t code = next_code_point(word, at);
        const std::int32_t id = symbol(word, begin, at, code);
        if (id < 0 && byte_fallback_ && spell_bytes(word.substr(begin, at - begin), ids)) continue;
        if (id < 0 && !has_unk_) continue;
        if (unknown && (id >= 0 || !fuse_unk_)) ids.push_back(unk_);
        unknown = id < 0;
        if (id >= 0)
            ids.push_back(id);
        else if (unk_ < 0)
            fail(where_ + ".unk_token: '" + unk_token_ + "' is not in the vocabulary, and a text needs it");
    }
    if (unknown) ids.push_back(unk_);
}

std::int32_t BpeModel::symbol(std::string_view word, std::size_t begin, std::size_t end, char32_t code) const {
    if (prefix_.empty() && suffix_.empty()) return code < character_ids_.size() ? character_ids_[code] : -1;
    return find((begin > 0 ? prefix_ : "") + std::string(word.substr(begin, end - begin)) + (end == word.size() ? suffix_ : ""));
}

bool BpeModel::spell_bytes(std::string_view symbol, std::vector<std::int32_t>& ids) const {
    const auto id = [this](char c) { return fallback_[static_cast<unsigned char>(c)]; };
    if (!std::all_of(symbol.begin(), symbol.end(), [&](char c) { return id(c) >= 0; })) return false;
    for (const char c : symbol) ids.push_back(id(c));
    return true;
}

void BpeModel::merge(Scratch& scratch) const {
    if (scratch.ids.size() < 2) return;
    if (scratch.ids.size() < kLongWord)
        merge_short(scratch);
    else
        merge_long(scratch);
}

// Merges the pair of lowest rank, the leftmost of equal ones, until none is left.
void BpeModel::merge_short(Scratch& scratch) const {
    auto& ids = scratch.ids;
    auto& ranks = scratch.ranks;    // of (i, i + 1)
    auto& merged = scratch.merged;  // id that the pair becomes
    std::size_t count = ids.size();
    ranks.resize(count);
    merged.resize(count);
    const auto look = [&](std::size_t i) {
        const MergeTable::Merge found = merges_.find(ids[i], ids[i + 1]);
        ranks[i] = found.rank;
        merged[i] = found.merged;
    };
    for (std::size_t i = 0; i + 1 < count; ++i) look(i);
    while (count > 1) {
        const auto best = static_cast<std::size_t>(
            std::min_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(count - 1)) - ranks.begin());
        if (ranks[best] == MergeTable::kNone) break;
        ids[best] = merged[best];
        for (std::size_t i = best + 1; i + 1 < count; ++i) {
            ids[i] = ids[i + 1];
            ranks[i] = ranks[i + 1];
            merged[i] = merged[i + 1];
        }
        --count;
        if (best + 1 < count) look(best);
        if (best > 0) look(best - 1);
    }
    ids.resize(count);
}

// The same on a linked list with a heap of candidates; a candidate whose pair has changed is passed over.
void BpeModel::merge_long(Scratch& scratch) const {
    struct Candidate {
        std::int32_t rank, position, left, right, merged;
        bool operator>(const Candidate& other) const {
            return rank != other.rank ? rank > other.rank : position > other.position;
        }
    };
    auto& ids = scratch.ids;
    auto& next = scratch.next;
    auto& previous = scratch.previous;
    const auto count = static_cast<std::int32_t>(ids.size());
    next.resize(ids.size());
    previous.resize(ids.size());
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
    const auto at = [](auto& list, std::int32_t i) -> auto& { return list[static_cast<std::size_t>(i)]; };
    const auto consider = [&](std::int32_t i) {
        if (i < 0 || at(next, i) >= count) return;
        const std::int32_t left = at(ids, i);
        const std::int32_t right = at(ids, at(next, i));
        const MergeTable::Merge found = merges_.find(left, right);
        if (found.rank != MergeTable::kNone) heap.push({found.rank, i, left, right, found.merged});
    };
    for (std::int32_t i = 0; i < count; ++i) {
        at(next, i) = i + 1;
        at(previous, i) = i - 1;
    }
    for (std::int32_t i = 0; i + 1 < count; ++i) consider(i);
    while (!heap.empty()) {
        const Candidate best = heap.top();
        heap.pop();
        const std::int32_t right = at(next, best.position);
        if (at(ids, best.position) != best.left || right >= count || at(ids, right) != best.right) continue;
        at(ids, best.position) = best.merged;
        at(ids, right) = -1;
        at(next, best.position) = at(next, right);
        if (at(next, right) < count) at(previous, at(next, right)) = best.position;
        consider(best.position);
        consider(at(previous, best.position));
    }
    std::erase(ids, -1);
}

}  // namespace xlrm
