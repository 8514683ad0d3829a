#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "added_tokens.hpp"
#include "tokenizer_class.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {

//! A token that a folder gives a name: "bos_token", "image_token".
struct NamedToken {
    std::string name;
    AddedToken token;         //!< its id is not set
    bool by_default = false;  //!< no file names it, the tokenizer's class does
};

//! The tokens that tokenizer_config.json, special_tokens_map.json and added_tokens.json of a model folder name, as
//! transformers 5.23 reads them (PreTrainedTokenizerBase._from_pretrained and __init__):
//! - Where tokenizer_config.json has `added_tokens_decoder`, the other two files are not read. Else the members of
//!   special_tokens_map.json replace those of tokenizer_config.json.
//! - Named are bos, eos, unk, sep, pad, cls and mask_token, then each other text member whose name ends in "_token" (in
//!   tokenizer_config.json an object counts only with `__type` AddedToken), then the members of an `extra_special_tokens` that
//!   is an object; where there is none of these two, the members of `model_specific_special_tokens`.
//! - `additional_special_tokens` is an older name of `extra_special_tokens`, and counts where that is missing, empty or an
//!   object.
//! - A standard token that no file mentions is the one that the tokenizer's class has by default, or that tokenizer.model names.
struct SpecialTokens {
    std::vector<NamedToken> named;  //!< in this order; each name once, none without a token
    std::vector<AddedToken> extra;  //!< of an `extra_special_tokens` that is a list
    std::vector<AddedToken> added;  //!< of `added_tokens_decoder`, or of added_tokens.json, in the file's order, with its ids
    bool has_extra = false;         //!< there is such a list, even an empty one
    bool has_decoder = false;       //!< there is an `added_tokens_decoder`
    bool split = false;             //!< `split_special_tokens`: text that spells a special token out is text
    std::optional<bool> add_bos, add_eos;
    Json config = Json::object();              //!< tokenizer_config.json
    std::vector<std::string> without;          //!< standard names that a file says to be null
    std::vector<std::filesystem::path> files;  //!< that were read
    TokenizerClass tokenizer_class;

    const AddedToken* find(const std::string& name) const;
};

//! Throws Error naming file and member: of another type than transformers takes, or an id outside of 0 … 2^24.
SpecialTokens read_special_tokens(const std::filesystem::path& model_dir);

}  // namespace xlrm
