#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! Text → token ids and back. Thread-safe for const calls.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    //! `add_special`: what the tokenizer's post-processor adds (BOS, EOS). The text of special tokens is recognised by BPE
    //! tokenizers, never by sentencepiece. Invalid UTF-8 becomes U+FFFD.
    virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;
    //! BPE keeps special tokens, sentencepiece drops control pieces. Ids out of range throw Error.
    virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
    virtual std::int64_t vocab_size() const = 0;
    virtual std::optional<std::int32_t> id_of(std::string_view token) const = 0;
    std::optional<std::int32_t> bos, eos, pad;
    //! SHA-256 of the tokenizer file.
    std::string sha256;
    //! Files of the tokenizer in its folder, to be copied beside a saved model.
    std::vector<std::filesystem::path> files;
};

//! From a model folder: tokenizer.json (byte-level BPE) if there, else tokenizer.model (sentencepiece); special ids from
//! tokenizer_config.json / special_tokens_map.json / config.json where given. Throws Error: no tokenizer, damaged, or a
//! feature that is not supported (named).
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& model_dir);

std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model_file);
std::unique_ptr<Tokenizer> load_bpe(const std::filesystem::path& tokenizer_json);

//! Trains a unigram sentencepiece model from texts (byte fallback on, no dummy normalisation surprises: nmt_nfkc off →
//! identity with NFKC optional) and writes `folder/tokenizer.model` and tokenizer_config.json; pieces <unk> <s> </s> and
//! <pad>. Deterministic. `vocab_size` pieces. Throws Error with the library's own reason.
void train_sentencepiece(const std::vector<std::string>& texts, std::int64_t vocab_size, const std::filesystem::path& folder,
                         std::uint64_t seed = 0);

}  // namespace xlrm
