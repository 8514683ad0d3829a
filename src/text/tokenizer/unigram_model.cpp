#include "unigram_model.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

constexpr double kUnknownPenalty = 10.0;

}  // namespace

UnigramModel::UnigramModel(const nlohmann::json& json, const std::string& where) : where_(where) {
    const auto& pieces = json.at("vocab");
    require(pieces.is_array() && !pieces.empty(), where + ".vocab: a list of [piece, score] is expected");
    count_ = static_cast<std::int64_t>(pieces.size());
    vocab_.reserve(pieces.size());
    std::vector<ByteTrie::Entry> entries;
    for (const auto& piece : pieces) {
        if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() || !piece[1].is_number()) {
            fail(where + ".vocab[" + std::to_string(scores_.size()) + "]: [piece, score] is expected");
        }
        if (piece[0].get_ref<const std::string&>().size() > ByteTrie::kMostBytes) {
            fail(where + ".vocab[" + std::to_string(scores_.size()) + "]: the piece is longer than " +
                 std::to_string(ByteTrie::kMostBytes) + " bytes");
        }
        const auto id = static_cast<std::int32_t>(scores_.size());
        scores_.push_back(piece[1].get<double>());
        vocab_[piece[0].get<std::string>()] = id;
        entries.emplace_back(piece[0].get_ref<const std::string&>(), id);
    }
    trie_ = ByteTrie(std::move(entries));
    unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty;
    if (json.contains("unk_id") && !json.at("unk_id").is_null()) {
        const auto& unk = json.at("unk_id");
        if (!unk.is_number_integer() || unk.get<std::int64_t>() < 0 || unk.get<std::int64_t>() >= count_)
            fail(where + ".unk_id: " + unk.dump() + " is not in the vocabulary");
        unk_ = unk.get<std::int32_t>();
    }
    byte_fallback_ = json.value("byte_fallback", false);
}

void UnigramModel::encode(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
    const bool cached = word.size() <= kCachedWord;
    const std::uint64_t hash = cached ? WordCache::hash(word) : 0;
    if (cached) {
        std::uint32_t count = 0;
        if (const std::int32_t* found = scratch.cache.find(word, hash, count)) {
            ids.insert(ids.end(), found, found + count);
            return;
        }
    }
    best_path(word, scratch);
    const std::size_t first = ids.size();
    // scratch.next holds the path's offsets, last first.
    auto& ends = scratch.next;
    for (std::size_t i = ends.size() - 1; i > 0;) {
        const auto begin = static_cast<std::size_t>(ends[i]);
        std::int32_t id = scratch.merged[static_cast<std::size_t>(ends[--i])];
        if (id != unk_) {
            ids.push_back(id);
            continue;
        }
        while (i > 0 && scratch.merged[static_cast<std::size_t>(ends[i - 1])] == unk_) --i;
        append_unknown(word.substr(begin, static_cast<std::size_t>(ends[i]) - begin), ids);
    }
    if (cached) scratch.cache.insert(word, hash, ids.data() + first, static_cast<std::uint32_t>(ids.size() - first));
}

// Leaves the piece that ends at each offset in `merged`, and the offsets of the best path, last first, in `next`.
void UnigramModel::best_path(std::string_view word, Scratch& scratch) const {
    auto& scores = scratch.scores;
    auto& pieces = scratch.merged;
    auto& begins = scratch.previous;  // -1: nothing ends here yet
    scores.assign(word.size() + 1, 0.0);
    pieces.assign(word.size() + 1, -1);
    begins.assign(word.size() + 1, -1);
    for (std::size_t at = 0; at < word.size();) {
        std::size_t behind = at;
        next_code_point(word, behind);
        bool character = false;
        const auto offer = [&](std::size_t end, double score, std::int32_t id) {
            const double sum = score + scores[at];
            if (begins[end] >= 0 && !(sum > scores[end])) return;
            scores[end] = sum;
            begins[end] = static_cast<std::int32_t>(at);
            pieces[end] = id;
        };
        std::int32_t node = 0;
        for (std::size_t end = at; end < word.size();) {
            node = trie_.child(node, static_cast<unsigned char>(word[end++]));
            if (node == ByteTrie::kNone) break;
            const std::int32_t id = trie_.value(node);
            if (id < 0) continue;
            offer(end, scores_[static_cast<std::size_t>(id)], id);
            character = character || end == behind;
        }
        if (!character) {
            if (unk_ < 0) fail(where_ + ".unk_id is missing, and a text needs it");
            offer(behind, unknown_score_, unk_);
        }
        at = behind;
    }
    scratch.next.clear();
    for (auto end = static_cast<std::int32_t>(word.size()); end >= 0;
         end = end > 0 ? begins[static_cast<std::size_t>(end)] : -1) {
        scratch.next.push_back(end);
    }
}

void UnigramModel::append_unknown(std::string_view text, std::vector<std::int32_t>& ids) const {
    if (const std::int32_t id = find(std::string(text)); id >= 0) {  // a run of unknown characters may be a piece
        ids.push_back(id);
        return;
    }
    const std::size_t first = ids.size();
    for (const char c : byte_fallback_ ? text : std::string_view()) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        ids.push_back(find(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">"));
    }
    const auto missing = std::find(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end(), -1);
    if (ids.size() > first && missing == ids.end()) return;
    ids.resize(first);
    ids.push_back(unk_);
}

}  // namespace xlrm
