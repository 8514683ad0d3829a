#include "sentencepiece_words.hpp"

namespace xlrm {
namespace {

// Where the next word begins: at a blank behind what is none.
std::size_t next_word(std::string_view text, std::size_t begin) {
    for (std::size_t at = text.find(kBlank, begin); at != std::string_view::npos; at = text.find(kBlank, at + kBlank.size())) {
        if (at > begin && !text.substr(begin, at - begin).ends_with(kBlank)) return at;
    }
    return text.size();
}

}  // namespace

SentencepieceWords::SentencepieceWords(const sentencepiece::SentencePieceProcessor& processor, const SentencepieceSpec& spec,
                                       const SentencepieceNormalizer& normalizer)
    : processor_(processor), normalizer_(normalizer) {
    const int blank = processor.PieceToId(kBlank);
    if (spec.model_type != SentencepieceSpec::kBytePairs || processor.IdToPiece(blank) != kBlank || processor.IsUnused(blank) ||
        processor.IsUnknown(blank))
        return;
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
        const std::string& piece = processor.IdToPiece(id);
        if (next_word(piece, 0) != piece.size()) return;
    }
    blank_ = blank;
    cuts_ = true;
}

bool SentencepieceWords::encode(std::string_view text, std::vector<std::int32_t>& ids) const {
    if (!cuts_) return false;
    const auto scratch = scratch_.borrow();
    if (!normalizer_.apply(text, scratch->text)) return false;
    const std::string_view normalized = scratch->text;
    const std::size_t before = ids.size();
    for (std::size_t begin = 0, end = 0; begin < normalized.size(); begin = end) {
        end = next_word(normalized, begin);
        if (encode_word(normalized.substr(begin, end - begin), *scratch, ids)) continue;
        ids.resize(before);
        return false;
    }
    return true;
}

bool SentencepieceWords::encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
    if (word == kBlank) {
        ids.push_back(blank_);
        return true;
    }
    const bool cached = word.size() <= kCachedWord;
    const std::uint64_t hash = cached ? WordCache::hash(word) : 0;
    std::uint32_t count = 0;
    if (const std::int32_t* found = cached ? scratch.cache.find(word, hash, count) : nullptr) {
        ids.insert(ids.end(), found, found + count);
        return true;
    }
    if (!encode_new(word, scratch)) return false;
    ids.insert(ids.end(), scratch.pieces.begin(), scratch.pieces.end());
    if (cached) scratch.cache.insert(word, hash, scratch.pieces.data(), static_cast<std::uint32_t>(scratch.pieces.size()));
    return true;
}

// The library takes no normalised text, so one is sought whose normal form the word is: without the blank that it puts in front,
// or with.
bool SentencepieceWords::encode_new(std::string_view word, Scratch& scratch) const {
    scratch.raw.clear();
    for (std::size_t at = 0; at < word.size();) {
        const bool blank = word.substr(at).starts_with(kBlank);
        scratch.raw += blank ? ' ' : word[at];
        at += blank ? kBlank.size() : 1;
    }
    for (const std::size_t skipped : {std::size_t{scratch.raw.starts_with(' ')}, std::size_t{0}}) {
        const std::string_view raw = std::string_view(scratch.raw).substr(skipped);
        if (!normalizer_.apply(raw, scratch.normalized) || scratch.normalized != word) continue;
        return processor_.Encode(raw, &scratch.pieces).ok() && !scratch.pieces.empty();
    }
    return false;
}

}  // namespace xlrm
