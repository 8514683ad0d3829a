#include "sentencepiece_tokenizer.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

void check(const sentencepiece::util::Status& status, const std::string& what) {
    if (!status.ok()) fail(what + " (sentencepiece: " + status.ToString() + ")");
}

}  // namespace

SentencepieceTokenizer::SentencepieceTokenizer(const std::filesystem::path& model_file) {
    const std::string bytes = read_file(model_file);
    check(processor_.LoadFromSerializedProto(bytes), model_file.string() + ": damaged sentencepiece model");
    size_ = processor_.GetPieceSize();
    require(size_ > 0, model_file.string() + ": a sentencepiece model without pieces");
    if (const auto spec = read_sentencepiece_spec(bytes)) {
        require_short_pieces(*spec, model_file.string());
        normalizer_.emplace(processor_, *spec);
        words_.emplace(processor_, *spec, *normalizer_);
        unigram_.emplace(processor_, *spec, *normalizer_);
    }
    sha256 = xlrm::sha256(bytes);
    files.push_back(model_file);
    const auto id = [](int value) { return value < 0 ? std::nullopt : std::optional<std::int32_t>(value); };
    bos = id(processor_.bos_id());
    eos = id(processor_.eos_id());
    pad = id(processor_.pad_id());
    if (bos) prefix = {*bos};
    if (eos) suffix = {*eos};
}

std::vector<std::int32_t> SentencepieceTokenizer::encode(std::string_view text, bool add_special) const {
    std::string clean;
    if (!is_valid_utf8(text)) text = clean = replace_invalid_utf8(text);
    std::vector<std::int32_t> ids;
    if (add_special) ids = prefix;
    if (!(words_ && words_->encode(text, ids)) && !(unigram_ && unigram_->encode(text, ids))) {
        std::vector<int> pieces;
        check(processor_.Encode(text, &pieces), "a text cannot be tokenised");
        ids.insert(ids.end(), pieces.begin(), pieces.end());
    }
    if (add_special) ids.insert(ids.end(), suffix.begin(), suffix.end());
    return ids;
}

std::string SentencepieceTokenizer::decode(const std::vector<std::int32_t>& ids) const {
    std::vector<int> pieces;
    for (const std::int32_t id : ids) {
        if (id < 0 || id >= size_)
            fail("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(size_) + " tokens");
        if (id < processor_.GetPieceSize()) pieces.push_back(id);
    }
    std::string text;
    check(processor_.Decode(pieces, &text), "ids cannot be decoded");
    return is_valid_utf8(text) ? text : replace_invalid_utf8(text);
}

std::int64_t SentencepieceTokenizer::vocab_size() const { return size_; }

std::optional<std::int32_t> SentencepieceTokenizer::id_of(std::string_view token) const {
    if (const auto found = added_.find(token); found != added_.end()) return found->second;
    const int id = processor_.PieceToId(token);
    // The library gives the unknown piece for everything that it does not have.
    if (id < 0 || id >= processor_.GetPieceSize() || processor_.IdToPiece(id) != token) return std::nullopt;
    return id;
}

void SentencepieceTokenizer::add_token(const std::string& content, std::int32_t id) {
    if (id < processor_.GetPieceSize()) return;
    added_[content] = id;
    size_ = std::max<std::int64_t>(size_, std::int64_t{id} + 1);
}

std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model_file) {
    return std::make_unique<SentencepieceTokenizer>(model_file);
}

}  // namespace xlrm
