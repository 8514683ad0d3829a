#include "sentencepiece_words.hpp"

#include <optional>

namespace xlrm {
namespace {

constexpr std::string_view kBlank = "\u2581";
constexpr std::size_t kCachedWord = 64;  // bytes
constexpr std::uint64_t kBytePairs = 2;  // ModelProto.trainer_spec.model_type

// Protocol buffers' wire format, as much of it as finds one field.
class Message {
public:
    explicit Message(std::string_view bytes) : bytes_(bytes) {}

    // The last field of this number: a message's bytes, or a number's value in `value`.
    std::optional<std::string_view> find(std::uint64_t number, std::uint64_t* value) {
        std::optional<std::string_view> found;
        while (!bytes_.empty() && sound_) {
            const std::uint64_t tag = varint();
            std::string_view content;
            std::uint64_t scalar = 0;
            switch (tag & 7U) {
                case 0: scalar = varint(); break;
                case 1: content = take(8); break;
                case 2: content = take(varint()); break;
                case 5: content = take(4); break;
                default: sound_ = false;
            }
            if (tag >> 3U != number || !sound_) continue;
            found = content;
            if (value != nullptr) *value = scalar;
        }
        return sound_ ? found : std::nullopt;
    }

private:
    std::string_view take(std::uint64_t count) {
        sound_ = sound_ && count <= bytes_.size();
        if (!sound_) return {};
        const std::string_view out = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return out;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::string_view byte = take(1);
            if (!sound_) return 0;
            value |= (static_cast<std::uint64_t>(static_cast<unsigned char>(byte[0])) & 127U) << shift;
            if (static_cast<unsigned char>(byte[0]) < 128U) return value;
        }
        sound_ = false;
        return 0;
    }

    std::string_view bytes_;
    bool sound_ = true;
};

bool merges_byte_pairs(std::string_view serialized) {
    std::uint64_t type = 0;
    const auto trainer = Message(serialized).find(2, nullptr);
    return trainer && Message(*trainer).find(3, &type) && type == kBytePairs;
}

// Where the next word begins: at a blank behind what is none.
std::size_t next_word(std::string_view text, std::size_t begin) {
    for (std::size_t at = text.find(kBlank, begin); at != std::string_view::npos; at = text.find(kBlank, at + kBlank.size())) {
        if (at > begin && !text.substr(begin, at - begin).ends_with(kBlank)) return at;
    }
    return text.size();
}

}  // namespace

SentencepieceWords::SentencepieceWords(const sentencepiece::SentencePieceProcessor& processor, std::string_view serialized) : processor_(processor) {
    const int blank = processor.PieceToId(kBlank);
    if (!merges_byte_pairs(serialized) || processor.IdToPiece(blank) != kBlank || processor.IsUnused(blank) || processor.IsUnknown(blank)) return;
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
    std::string normalized;
    if (!processor_.Normalize(text, &normalized).ok()) return false;
    const std::size_t before = ids.size();
    for (std::size_t begin = 0, end = 0; begin < normalized.size(); begin = end) {
        end = next_word(normalized, begin);
        if (encode_word(std::string_view(normalized).substr(begin, end - begin), *scratch, ids)) continue;
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

// The library takes no normalised text, so one is sought whose normal form the word is: without the blank that it puts in front, or with.
bool SentencepieceWords::encode_new(std::string_view word, Scratch& scratch) const {
    scratch.raw.clear();
    for (std::size_t at = 0; at < word.size();) {
        const bool blank = word.substr(at).starts_with(kBlank);
        scratch.raw += blank ? ' ' : word[at];
        at += blank ? kBlank.size() : 1;
    }
    for (const std::size_t skipped : {std::size_t{scratch.raw.starts_with(' ')}, std::size_t{0}}) {
        const std::string_view raw = std::string_view(scratch.raw).substr(skipped);
        if (!processor_.Normalize(raw, &scratch.normalized).ok() || scratch.normalized != word) continue;
        return processor_.Encode(raw, &scratch.pieces).ok() && !scratch.pieces.empty();
    }
    return false;
}

}  // namespace xlrm
