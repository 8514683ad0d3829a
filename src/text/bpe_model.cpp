#include "bpe_model.hpp"

#include <algorithm>
#include <queue>

#include "byte_level.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kLongWord = 48;    // symbols from which a heap beats a scan for the lowest rank
constexpr std::size_t kCachedWord = 64;  // bytes; longer words seldom come again

bool absent(const nlohmann::json& json, const char* name) { return !json.contains(name) || json.at(name).is_null(); }

}  // namespace

BpeModel::BpeModel(const nlohmann::json& json, const std::string& where) {
    require(json.is_object(), where + ": an object is expected");
    const std::string type = json.value("type", "BPE");
    if (type != "BPE") fail(where + ": model type " + type + " is not supported (byte-level BPE is)");
    if (!absent(json, "dropout") && json.at("dropout").get<double>() != 0.0) fail(where + ": dropout is not supported");
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!absent(json, name) && !json.at(name).get<std::string>().empty()) fail(where + ": " + name + " is not supported");
    }
    read_vocab(json.at("vocab"), where);
    read_merges(json.at("merges"), where);
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const auto found = vocab_.find(byte_characters()[byte]);
        byte_ids_[byte] = found == vocab_.end() ? -1 : found->second;
    }
    const bool complete = std::none_of(byte_ids_.begin(), byte_ids_.end(), [](std::int32_t id) { return id < 0; });
    if (!complete && !absent(json, "unk_token")) fail(where + ": unk_token is not supported where bytes are missing in the vocabulary");
    if (!complete && json.value("byte_fallback", false)) fail(where + ": byte_fallback is not supported where bytes are missing in the vocabulary");
    ignore_merges_ = json.value("ignore_merges", false);
    if (!ignore_merges_) return;
    for (const auto& [token, id] : vocab_) {
        if (auto bytes = bytes_of_token(token)) whole_words_.emplace(std::move(*bytes), id);
    }
}

void BpeModel::read_vocab(const nlohmann::json& json, const std::string& where) {
    require(json.is_object() && !json.empty(), where + ".vocab: an object of tokens is expected");
    vocab_.reserve(json.size());
    std::int64_t largest = 0;
    for (const auto& [token, id] : json.items()) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= INT32_MAX) {
            fail(where + ".vocab: the id of '" + token + "' is not a number from 0 on");
        }
        vocab_.emplace(token, id.get<std::int32_t>());
        largest = std::max(largest, id.get<std::int64_t>());
    }
    if (largest >= 4 * static_cast<std::int64_t>(vocab_.size()) + 1024) fail(where + ".vocab: id " + std::to_string(largest) + " is far behind the number of tokens");
    tokens_.resize(static_cast<std::size_t>(largest) + 1);
    for (const auto& [token, id] : vocab_) tokens_[static_cast<std::size_t>(id)] = token;
}

void BpeModel::read_merges(const nlohmann::json& json, const std::string& where) {
    require(json.is_array(), where + ".merges: a list is expected");
    merges_ = MergeTable(json.size());
    std::int32_t rank = 0;
    for (const auto& entry : json) {
        std::string left;
        std::string right;
        const std::string here = where + ".merges[" + std::to_string(rank) + "]";
        if (entry.is_array() && entry.size() == 2) {
            left = entry[0].get<std::string>();
            right = entry[1].get<std::string>();
        } else if (entry.is_string()) {
            const auto& text = entry.get_ref<const std::string&>();
            const std::size_t space = text.find(' ');
            if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) fail(here + ": two tokens are expected, found '" + text + "'");
            left = text.substr(0, space);
            right = text.substr(space + 1);
        } else {
            fail(here + ": two tokens are expected");
        }
        const auto id_of = [&](const std::string& token) {
            const auto found = vocab_.find(token);
            if (found == vocab_.end()) fail(here + ": '" + token + "' is not in the vocabulary");
            return found->second;
        };
        const std::int32_t merged = id_of(left + right);
        merges_.set(id_of(left), id_of(right), {rank++, merged});
    }
}

void BpeModel::encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
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
        merge(word, scratch);
    }
    if (cached) scratch.cache.insert(word, hash, scratch.ids.data(), static_cast<std::uint32_t>(scratch.ids.size()));
    ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

void BpeModel::merge(std::string_view word, Scratch& scratch) const {
    for (const char c : word) {
        const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
        if (id >= 0) scratch.ids.push_back(id);
    }
    if (scratch.ids.size() < 2) return;
    if (scratch.ids.size() < kLongWord) merge_short(scratch);
    else merge_long(scratch);
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
