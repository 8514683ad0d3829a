#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "added_tokens.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! Tokens that are added to a tokenizer.json, as tokenizers' add_tokens does one after another: one that the vocabulary has keeps
//! its id, others count on from it, and one that was added before takes the later attributes. (The ids that the tokens bring with
//! them are not read.)
struct Additions {
    std::vector<AddedToken> tokens = {};
    bool split_special = false;  //!< text that spells a special token out is read as text
    //! Of tokens that the vocabulary lacks those that no file names: vocab_size() leaves them out where they come last.
    std::set<std::string> by_default = {};
};

//! An entry of `added_tokens`; its id is not read.
AddedToken added_token_of(const nlohmann::json& entry);

//! The file's JSON, with a `model`. Throws Error naming the file: not JSON, no tokenizer, or nested deeper than 64.
nlohmann::json read_tokenizer_json(const std::filesystem::path& tokenizer_json);

//! The tokenizer that `file` describes; `where` names it in errors. `files` and `sha256` are left empty.
//! `changes`, if given, is set to what the additions changed, as text: empty, if nothing.
std::unique_ptr<Tokenizer> make_json_tokenizer(const nlohmann::json& file, const std::string& where, const Additions& additions,
                                               std::string* changes = nullptr);

}  // namespace xlrm
