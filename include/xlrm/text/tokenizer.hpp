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
//! post_processor.hpp of src/text/tokenizer list. `truncation` and `padding` of the file are not used. Differences that remain:
//! PCRE2 has Unicode 14's property Alphabetic (91 marks are not in \p{Alphabetic}; \w, \p{L} and the other categories, white
//! space and normal forms agree for every code point), and \P{…} inside a class does not know what Unicode 15 and 16 added; of
//! grapheme clusters (Precompiled alone needs them) utf8proc's version decides; and an id without a token is an Error, where that
//! library passes over it.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    //! `add_special`: what the tokenizer's post-processor adds (BOS, EOS). The text of special tokens is recognised, except by a
    //! tokenizer.model alone. Of invalid UTF-8 each maximal ill-formed part becomes U+FFFD.
    virtual std::vector<std::int32_t> encode(std::string_view text, bool add_special) const = 0;
    //! Special tokens are kept, except by a tokenizer.model alone, which drops control pieces. Ids out of range throw Error.
    virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
    //! Whether `id` is a token: a model may have rows for more ids, whose text decode would refuse.
    virtual bool has(std::int32_t id) const { return id >= 0 && id < vocab_size(); }
    //! 1 + the largest id, added tokens included: what a model's embedding must hold. (Tokens that only the class of a tokenizer
    //! names by default, and that come last, are not counted: models have no rows for them.)
    virtual std::int64_t vocab_size() const = 0;
    virtual std::optional<std::int32_t> id_of(std::string_view token) const = 0;
    std::optional<std::int32_t> bos, eos, pad;
    //! What `add_special` puts before and after the text's own ids.
    std::vector<std::int32_t> prefix, suffix;
    //! SHA-256 of the tokenizer file, and of what its folder changes.
    std::string sha256;
    //! Files of the tokenizer in its folder, to be copied beside a saved model.
    std::vector<std::filesystem::path> files;
};

//! From a model folder: tokenizer.json if it is there, else tokenizer.model (sentencepiece), with the ids that transformers 5.23
//! (AutoTokenizer.from_pretrained(folder), without remote code and without mistral-common) gives:
//! - Every token of `added_tokens_decoder`, each named one ("…_token") and each of `extra_special_tokens` and
//! `additional_special_tokens` is found
//!   in texts, with its attributes; special_tokens_map.json and added_tokens.json count where there is no `added_tokens_decoder`.
//!   A token that the vocabulary has keeps its id, others count on from it in the order in which they are named (an id of the
//!   decoder gives that order alone). With `split_special_tokens` special ones are text.
//! - `tokenizer_class` and config.json's `model_type` choose the class (src/text/tokenizer/tokenizer_class.hpp). LlamaTokenizer,
//! CodeLlamaTokenizer,
//!   GemmaTokenizer, Qwen2Tokenizer, GPT2Tokenizer, GPTNeoXTokenizer and CohereTokenizer put their own normaliser, pre-tokeniser
//!   and decoder in place of those of tokenizer.json, where the two say different things; for other classes the file counts as it
//!   is.
//! - What `add_special` adds: where tokenizer.json is there, what its post-processor says; `add_bos_token` and `add_eos_token` do
//! not count
//!   (CodeLlamaTokenizer: BOS always; GPTNeoXTokenizer: nothing). With tokenizer.model alone what the flags say; one that is
//!   missing means no.
//! - tokenizer.model with any of the other files is read as that library converts it (src/text/tokenizer/sentencepiece_json.hpp),
//! for LlamaTokenizer,
//!   CodeLlamaTokenizer, GemmaTokenizer and TokenizersBackend. A class of byte pairs over a unigram model, which the library
//!   reads letter by letter, keeps sentencepiece's ids and refuses added tokens; other classes are refused.
//! - tokenizer.model without any of tokenizer_config.json, special_tokens_map.json and added_tokens.json has sentencepiece's own
//! ids and adds BOS
//!   alone.
//! BOS, EOS and padding are those that the files name, then those of config.json, then the tokenizer's own. `sha256` is that of
//! the tokenizer's file, together with what the folder changes of it, if anything. Throws Error: no tokenizer, damaged, or a
//! feature that is not supported (file, field and feature are named).
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& model_dir);

//! The model file alone: `add_special` adds its BOS and its EOS.
std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model_file);
//! tokenizer.json alone, of any model: `add_special` does what its post-processor does.
std::unique_ptr<Tokenizer> load_bpe(const std::filesystem::path& tokenizer_json);

//! Throws Error, naming both sizes, where the tokenizer has ids that the model's embedding of `model_vocab` rows lacks.
void require_tokenizer_fits(const Tokenizer& tokenizer, std::int64_t model_vocab, const std::filesystem::path& model_dir);

//! Trains a unigram sentencepiece model of `vocab_size` pieces and writes `folder/tokenizer.model`,
//! tokenizer_config.json, and tokenizer.json for Hugging Face's libraries. Pieces <unk> <s> </s> <pad> are 0 to 3; byte fallback,
//! digits split, no normalisation, no space put before the text (so that the tokens of a prompt are a prefix of those of prompt
//! and answer). Texts are cut at line ends, which are always the byte piece <0x0A>. The same texts, in the same order, give the
//! same bytes on every machine. With more than `max_bytes` of text a seeded sample of the lines is used. Throws Error with the
//! library's own reason (a vocabulary too large or too small for the texts).
void train_sentencepiece(const std::vector<std::string>& texts, std::int64_t vocab_size, const std::filesystem::path& folder,
                         std::uint64_t seed = 0, double character_coverage = 0.9995, std::int64_t max_bytes = 64 << 20);

}  // namespace xlrm
