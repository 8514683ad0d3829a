#include "sentencepiece_unigram.hpp"

#include <algorithm>
#include <limits>

namespace xlrm {
namespace {

constexpr float kUnknownBelowLowest = 10.0F;

//! Bytes of the character that a byte begins.
std::size_t character_bytes(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

SentencepieceUnigram::SentencepieceUnigram(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec,
                                           const SentencepieceNormalizer& normalizer)
    : normalizer_(normalizer),
      usable_(spec.model_type == SentencepieceSpec::kUnigram && !spec.user_defined && processor.unk_id() >= 0),
      byte_fallback_(spec.byte_fallback),
      unknown_(processor.unk_id()) {
    if (!usable_) return;
    std::vector<ByteTrie::Entry> entries;
    float lowest = std::numeric_limits<float>::max();
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
        scores_.push_back(processor.GetScore(id));
        if (processor.IsControl(id) || processor.IsUnknown(id) || processor.IsByte(id) || processor.IsUnused(id)) continue;
        entries.emplace_back(processor.IdToPiece(id), id);
        lowest = std::min(lowest, scores_.back());
    }
    pieces_ = ByteTrie(std::move(entries));
    unknown_score_ = lowest - kUnknownBelowLowest;
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        bytes_[byte] = processor.PieceToId(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">");
    }
}

void SentencepieceUnigram::best_ways(std::string_view text, std::vector<End>& ends) const {
    ends.assign(text.size() + 1, {});
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t behind = std::min(at + character_bytes(text[at]), text.size());
        const float here = ends[at].score;
        const auto offer = [&](std::size_t end, double score, std::int32_t id) {
            if (ends[end].begin < 0 || score > ends[end].score)
                ends[end] = {static_cast<float>(score), static_cast<std::int32_t>(at), id};
        };
        bool character = false;
        std::int32_t node = 0;
        for (std::size_t end = at; end < text.size();) {
            node = pieces_.child(node, static_cast<unsigned char>(text[end++]));
            if (node == ByteTrie::kNone) break;
            const std::int32_t id = pieces_.value(node);
            if (id < 0) continue;
            offer(end, double{scores_[static_cast<std::size_t>(id)]} + here, id);
            character = character || end == behind;
        }
        if (!character) offer(behind, unknown_score_ + here, unknown_);
        at = behind;
    }
}

void SentencepieceUnigram::append_unknown(std::string_view piece, bool behind_unknown, std::vector<std::int32_t>& ids) const {
    if (byte_fallback_) {
        for (const char c : piece) ids.push_back(bytes_[static_cast<unsigned char>(c)]);
    } else if (!behind_unknown) {
        ids.push_back(unknown_);
    }
}

bool SentencepieceUnigram::encode(std::string_view text, std::vector<std::int32_t>& ids) const {
    if (!usable_) return false;
    const auto scratch = scratch_.borrow();
    if (!normalizer_.apply(text, scratch->normalized)) return false;
    const std::string_view normalized = scratch->normalized;
    if (normalized.empty()) return true;
    best_ways(normalized, scratch->ends);
    auto& path = scratch->path;
    path.clear();
    for (auto end = static_cast<std::int32_t>(normalized.size()); end > 0;
         end = scratch->ends[static_cast<std::size_t>(end)].begin)
        path.push_back(end);
    bool unknown = false;
    for (auto end = path.rbegin(); end != path.rend(); ++end) {
        const End& last = scratch->ends[static_cast<std::size_t>(*end)];
        const bool before = unknown;
        unknown = last.id == unknown_;
        const auto begin = static_cast<std::size_t>(last.begin);
        if (unknown)
            append_unknown(normalized.substr(begin, static_cast<std::size_t>(*end) - begin), before, ids);
        else
            ids.push_back(last.id);
    }
    return true;
}

}  // namespace xlrm
