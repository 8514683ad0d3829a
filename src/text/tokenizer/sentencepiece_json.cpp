#include "sentencepiece_json.hpp"

#include <unordered_map>

#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

using nlohmann::json;

using Ids = std::unordered_map<std::string_view, std::int32_t>;

// Each way to put a piece together from two, the shorter first part first; pieces in the order of their ids.
json merges_of(const SentencepieceSpec& spec, const Ids& ids) {
    json merges = json::array();
    for (std::size_t i = 0; i < spec.pieces.size(); ++i) {
        const std::string_view piece = spec.pieces[i].text;
        if (ids.at(piece) != static_cast<std::int32_t>(i)) continue;  // the last of equal pieces counts
        for (std::size_t at = 0; at < piece.size();) {
            next_code_point(piece, at);
            if (at == piece.size()) break;
            const std::string_view left = piece.substr(0, at);
            const std::string_view right = piece.substr(at);
            if (ids.contains(left) && ids.contains(right)) merges.push_back({left, right});
        }
    }
    return merges;
}

void rename_pieces(json& vocab, const SentencepieceSpec& spec, const std::vector<AddedToken>& renamed) {
    for (const AddedToken& token : renamed) {
        if (static_cast<std::size_t>(token.id) >= spec.pieces.size() || vocab.contains(token.content)) continue;
        const auto piece = vocab.find(std::string(spec.pieces[static_cast<std::size_t>(token.id)].text));
        if (piece == vocab.end() || *piece != token.id || piece.key().empty()) continue;
        vocab.erase(piece);
        vocab[token.content] = token.id;
    }
}

json byte_pairs(const SentencepieceSpec& spec, const std::vector<AddedToken>& renamed) {
    Ids ids;
    for (std::size_t i = 0; i < spec.pieces.size(); ++i) ids[spec.pieces[i].text] = static_cast<std::int32_t>(i);
    json vocab = json::object();
    for (const auto& [piece, id] : ids) vocab[std::string(piece)] = id;
    rename_pieces(vocab, spec, renamed);
    return {
        {"type", "BPE"},    {"vocab", std::move(vocab)},          {"merges", merges_of(spec, ids)}, {"unk_token", spec.unk_piece},
        {"fuse_unk", true}, {"byte_fallback", spec.byte_fallback}};
}

json unigram(const SentencepieceSpec& spec) {
    json vocab = json::array();
    for (const auto& piece : spec.pieces) vocab.push_back({std::string(piece.text), double{piece.score}});
    return {{"type", "Unigram"}, {"vocab", std::move(vocab)}, {"unk_id", spec.unk_id}, {"byte_fallback", spec.byte_fallback}};
}

std::string base64_of(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) text += digits[(bits >> (count - 6)) & 63U];
    }
    if (count > 0) text += digits[(bits << (6 - count)) & 63U];
    return text;
}

}  // namespace

json sentencepiece_as_json(const SentencepieceSpec& spec, const TokenizerClass& tokenizer_class,
                           const std::vector<AddedToken>& renamed, const std::string& where) {
    require(!spec.pieces.empty(), where + ": a sentencepiece model without pieces");
    require_short_pieces(spec, where);
    for (const auto& piece : spec.pieces) require(is_valid_utf8(piece.text), where + ": a piece is not valid UTF-8");
    const bool backend = tokenizer_class.parts.empty();
    json normalizers = json::array();
    if (!spec.charsmap.empty())
        normalizers.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", base64_of(spec.charsmap)}});
    normalizers.push_back(replace_step(" ", "\u2581"));
    json decoders = json::array({replace_step("\u2581", " ")});
    if (spec.byte_fallback) {
        decoders.push_back({{"type", "ByteFallback"}});
        decoders.push_back({{"type", "Fuse"}});
    }
    json file = {{"added_tokens", json::array()},
                 {"normalizer", {{"type", "Sequence"}, {"normalizers", std::move(normalizers)}}},
                 {"pre_tokenizer", nullptr},
                 {"post_processor", nullptr},
                 {"decoder", {{"type", "Sequence"}, {"decoders", std::move(decoders)}}}};
    const bool pairs = spec.model_type != SentencepieceSpec::kUnigram;
    file["model"] = pairs ? byte_pairs(spec, backend ? renamed : std::vector<AddedToken>()) : unigram(spec);
    apply_tokenizer_class(tokenizer_class, file);
    return file;
}

std::vector<AddedToken> added_pieces(const SentencepieceSpec& spec) {
    std::vector<AddedToken> tokens;
    for (const auto& piece : spec.pieces) {
        if (piece.type != SentencepieceSpec::kControl && piece.type != SentencepieceSpec::kUserDefined) continue;
        tokens.push_back({.content = std::string(piece.text), .special = piece.type == SentencepieceSpec::kControl});
    }
    return tokens;
}

}  // namespace xlrm
