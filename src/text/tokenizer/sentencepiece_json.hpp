#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "added_tokens.hpp"
#include "sentencepiece_spec.hpp"
#include "tokenizer_class.hpp"

namespace xlrm {

//! A sentencepiece model as the tokenizer.json that transformers 5.23 makes of tokenizer.model for a class
//! (SentencePieceExtractor, TokenizersBackend._convert_from_sentencepiece, the class's constructor). Its texts differ from
//! sentencepiece's own: the model's add_dummy_prefix and remove_extra_whitespaces do not count, what stands before a text is the
//! class's decision (TokenizersBackend: nothing; LlamaTokenizer: "▁" where the text does not begin with a blank), and merges are
//! in the order of the pieces, not of their scores. `renamed`: a TokenizersBackend of byte pairs gives the pieces with these ids
//! these names. Throws Error naming `where` for a model that cannot be read so.
nlohmann::json sentencepiece_as_json(const SentencepieceSpec& spec, const TokenizerClass& tokenizer_class,
                                     const std::vector<AddedToken>& renamed, const std::string& where);

//! The control pieces and those that the user defined, which text spells out; they count where a folder names no extra tokens.
std::vector<AddedToken> added_pieces(const SentencepieceSpec& spec);

}  // namespace xlrm
