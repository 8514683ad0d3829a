#include "sentencepiece_spec.hpp"

#include <bit>

#include "byte_trie.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

//! Protocol buffers' wire format: one message's fields in order.
class Message {
public:
    explicit Message(std::string_view bytes) : bytes_(bytes) {}

    bool next() {
        if (bytes_.empty() || !sound_) return false;
        const std::uint64_t tag = varint();
        number = tag >> 3U;
        content = {};
        value = 0;
        switch (tag & 7U) {
            case 0:
                value = varint();
                break;
            case 1:
                content = take(8);
                break;
            case 2:
                content = take(varint());
                break;
            case 5:
                content = take(4);
                break;
            default:
                sound_ = false;
        }
        return sound_;
    }
    bool sound() const { return sound_; }

    std::uint64_t number = 0;  //!< of the field
    std::string_view content;  //!< of a message, text or fixed-size number
    std::uint64_t value = 0;   //!< of a variable-size number

private:
    std::string_view take(std::uint64_t count) {
        sound_ = sound_ && count <= bytes_.size();
        if (!sound_) return {};
        const std::string_view out = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return out;
    }
    std::uint64_t varint() {
        std::uint64_t out = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::string_view byte = take(1);
            if (!sound_) return 0;
            out |= (static_cast<std::uint64_t>(static_cast<unsigned char>(byte[0])) & 127U) << shift;
            if (static_cast<unsigned char>(byte[0]) < 128U) return out;
        }
        sound_ = false;
        return 0;
    }

    std::string_view bytes_;
    bool sound_ = true;
};

// Four bytes, little endian.
float fp32_of(std::string_view bytes) {
    std::uint32_t bits = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) bits = (bits << 8U) | static_cast<unsigned char>(bytes[i]);
    return std::bit_cast<float>(bits);
}

bool read_piece(Message message, SentencepieceSpec& spec) {
    SentencepieceSpec::Piece piece;
    while (message.next()) {
        if (message.number == 1) piece.text = message.content;
        if (message.number == 2) piece.score = fp32_of(message.content.substr(0, 4));
        if (message.number == 3) piece.type = message.value;
    }
    spec.user_defined = spec.user_defined || piece.type == SentencepieceSpec::kUserDefined;
    spec.pieces.push_back(piece);
    return message.sound();
}

bool read_trainer(Message trainer, SentencepieceSpec& spec) {
    while (trainer.next()) {
        if (trainer.number == 3) spec.model_type = trainer.value;
        if (trainer.number == 24) spec.blank_as_suffix = trainer.value != 0;
        if (trainer.number == 35) spec.byte_fallback = trainer.value != 0;
        if (trainer.number == 40) spec.unk_id = static_cast<std::int32_t>(trainer.value);
        if (trainer.number == 41) spec.bos_id = static_cast<std::int32_t>(trainer.value);
        if (trainer.number == 42) spec.eos_id = static_cast<std::int32_t>(trainer.value);
        if (trainer.number == 43) spec.pad_id = static_cast<std::int32_t>(trainer.value);
        if (trainer.number == 45) spec.unk_piece = trainer.content;
        if (trainer.number == 46) spec.bos_piece = trainer.content;
        if (trainer.number == 47) spec.eos_piece = trainer.content;
    }
    return trainer.sound();
}

bool read_normalizer(Message normalizer, SentencepieceSpec& spec) {
    while (normalizer.next()) {
        if (normalizer.number == 2) spec.charsmap = normalizer.content;
        if (normalizer.number == 3) spec.dummy_prefix = normalizer.value != 0;
        if (normalizer.number == 4) spec.remove_extra_blanks = normalizer.value != 0;
        if (normalizer.number == 5) spec.escape_blanks = normalizer.value != 0;
    }
    return normalizer.sound();
}

}  // namespace

std::optional<SentencepieceSpec> read_sentencepiece_spec(std::string_view serialized) {
    SentencepieceSpec spec;
    Message model(serialized);
    while (model.next()) {
        const Message part(model.content);
        if ((model.number == 1 && !read_piece(part, spec)) || (model.number == 2 && !read_trainer(part, spec)) ||
            (model.number == 3 && !read_normalizer(part, spec)))
            return std::nullopt;
    }
    return model.sound() ? std::optional(spec) : std::nullopt;
}

void require_short_pieces(const SentencepieceSpec& spec, const std::string& where) {
    for (const auto& piece : spec.pieces) {
        if (piece.text.size() <= ByteTrie::kMostBytes) continue;
        fail(where + ": damaged sentencepiece model (a piece is longer than " + std::to_string(ByteTrie::kMostBytes) + " bytes)");
    }
}

}  // namespace xlrm
