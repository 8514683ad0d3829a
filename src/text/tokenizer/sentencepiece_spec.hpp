#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! What a sentencepiece model file says of its kind (ModelProto of sentencepiece_model.proto; fields that it leaves out have
//! their defaults).
struct SentencepieceSpec {
    static constexpr std::uint64_t kUnigram = 1, kBytePairs = 2;
    //! Of a piece's type: a control piece stands in no text, a user's own is never cut.
    static constexpr std::uint64_t kControl = 3, kUserDefined = 4;
    struct Piece {
        std::string_view text;  //!< inside the file's bytes
        float score = 0;
        std::uint64_t type = 1;
    };
    std::vector<Piece> pieces;
    std::int64_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  //!< -1: none
    std::string unk_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>";
    std::uint64_t model_type = kUnigram;
    bool byte_fallback = false;
    bool blank_as_suffix = false;  //!< treat_whitespace_as_suffix
    bool user_defined = false;     //!< has pieces of type USER_DEFINED
    std::string_view charsmap;     //!< precompiled_charsmap, inside the file's bytes; empty: no characters are replaced
    bool dummy_prefix = true, remove_extra_blanks = true, escape_blanks = true;
};

//! None if the bytes are not a model's.
std::optional<SentencepieceSpec> read_sentencepiece_spec(std::string_view serialized);

//! Throws Error naming `where` for a piece of more bytes than ByteTrie takes.
void require_short_pieces(const SentencepieceSpec& spec, const std::string& where);

}  // namespace xlrm
