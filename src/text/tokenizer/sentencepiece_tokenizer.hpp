#pragma once

#include <sentencepiece_processor.h>

#include <map>
#include <optional>

#include "sentencepiece_unigram.hpp"
#include "sentencepiece_words.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! A sentencepiece model, and the tokens that a model folder adds behind it.
class SentencepieceTokenizer final : public Tokenizer {
public:
    explicit SentencepieceTokenizer(const std::filesystem::path& model_file);
    std::vector<std::int32_t> encode(std::string_view text, bool add_special) const override;
    std::string decode(const std::vector<std::int32_t>& ids) const override;
    std::int64_t vocab_size() const override;
    std::optional<std::int32_t> id_of(std::string_view token) const override;
    //! A token that text never gives (padding, as a rule); decode drops it.
    void add_token(const std::string& content, std::int32_t id);

private:
    sentencepiece::SentencePieceProcessor processor_;
    std::optional<SentencepieceNormalizer> normalizer_;
    std::optional<SentencepieceWords> words_;  //!< the library's ids, faster; none for a model whose kind is not understood
    std::optional<SentencepieceUnigram> unigram_;
    std::map<std::string, std::int32_t, std::less<>> added_;
    std::int64_t size_ = 0;
};

}  // namespace xlrm
