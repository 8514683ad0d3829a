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
//!
//! A tokenizer.json gives the ids and the text that Hugging Face's `tokenizers` 0.23 gives: models BPE (byte-level, or with byte
//! fallback and unknown tokens) and Unigram, and the parts that the headers normalizer.hpp, pre_tokenizer.hpp, decoder.hpp and
//! post_processor.hpp of src/text list. `truncation` and `padding` of the file are not used. Differences that remain: PCRE2 has
//! Unicode 14's property Alphabetic (91 marks are not in \p{Alphabetic}; \w, \p{L} and the other categories, white space and normal
//! forms agree for every code point), and \P{…} inside a class does not know what Unicode 15 and 16 added; of grapheme clusters
//! (Precompiled alone needs them) utf8proc's version decides; and an id without a token is an Error, where that library
//! passes over it.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    //! `add_special`: what the tokenizer's post-processor adds (BOS, EOS). The text of special tokens is recognised by
    //! those of a tokenizer.json, never by sentencepiece. Of invalid UTF-8 each maximal ill-formed part becomes U+FFFD.
    virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;
    //! Those of a tokenizer.json keep special tokens, sentencepiece drops control pieces. Ids out of range throw Error.
    virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
    //! 1 + the largest id, added tokens included: what a model's embedding must hold.
    virtual std::int64_t vocab_size() const = 0;
    virtual std::optional<std::int32_t> id_of(std::string_view token) const = 0;
    std::optional<std::int32_t> bos, eos, pad;
    //! What `add_special` puts before and behind the text's own ids.
    std::vector<std::int32_t> prefix, suffix;
    //! SHA-256 of the tokenizer file.
    std::string sha256;
    //! Files of the tokenizer in its folder, to be copied beside a saved model.
    std::vector<std::filesystem::path> files;
};

//! From a model folder: tokenizer.json if it is there, as transformers chooses, else tokenizer.model (sentencepiece). (For a unigram
//! model the two differ in about one text of a thousand, where two ways to cut a run such as "www" have one sum of scores: the
//! library adds in fp32, tokenizer.json is read in fp64; the latter is also the faster, by two.) Special ids are those of
//! tokenizer_config.json, special_tokens_map.json, config.json, in this order, then the tokenizer's own. Of
//! `added_tokens_decoder` those that it names as BOS, EOS or padding and that tokenizer.json lacks are added to it. Where tokenizer_config.json has `add_bos_token` or `add_eos_token`, they say
//! what `add_special` adds in place of tokenizer.json's post-processor, one that is missing meaning false. For tokenizer.model
//! they always do (default BOS alone, as LlamaTokenizer), and the tokens of
//! added_tokens_decoder and added_tokens.json count for vocab_size() and id_of(). Throws
//! Error: no tokenizer, damaged, or a feature that is not supported (file, field and feature are named).
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& model_dir);

//! The model file alone: `add_special` adds its BOS and its EOS.
std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model_file);
//! tokenizer.json alone, of any model: `add_special` does what its post-processor does.
std::unique_ptr<Tokenizer> load_bpe(const std::filesystem::path& tokenizer_json);

//! Throws Error, naming both sizes, where the tokenizer has ids that the model's embedding of `model_vocab` rows lacks.
void require_tokenizer_fits(const Tokenizer& tokenizer, std::int64_t model_vocab, const std::filesystem::path& model_dir);

//! Trains a unigram sentencepiece model of `vocab_size` pieces and writes `folder/tokenizer.model`,
//! tokenizer_config.json, and tokenizer.json for Hugging Face's libraries. Pieces <unk> <s> </s> <pad> are 0 to 3; byte fallback, digits split, no normalisation, no space put
//! before the text (so that the tokens of a prompt are a prefix of those of prompt and answer). Texts are cut at line
//! ends, which are always the byte piece <0x0A>. The same texts, in the same order, give the same bytes on every machine. With
//! more than `max_bytes` of text a seeded sample of the lines is used. Throws Error with the library's own reason (a
//! vocabulary too large or too small for the texts).
void train_sentencepiece(const std::vector<std::string>& texts, std::int64_t vocab_size, const std::filesystem::path& folder,
                         std::uint64_t seed = 0, double character_coverage = 0.9995, std::int64_t max_bytes = 64 << 20);

}  // namespace xlrm
