#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! Which of transformers' classes its AutoTokenizer (5.23, without mistral-common) takes for a folder, and what that class
//! decides itself.
struct TokenizerClass {
    //! What tokenizer_config.json or config.json say, without "Fast"; empty: TokenizersBackend, which adds nothing to a
    //! tokenizer.json.
    std::string name;
    //! Standard tokens by name, which count where no file of the folder says otherwise.
    std::vector<std::pair<std::string, std::string>> defaults;
    //! Members of a tokenizer.json that the class makes itself whatever the file says: normalizer, pre_tokenizer, decoder, and
    //! options of the model. Empty: the file's.
    nlohmann::json parts = nlohmann::json::object();
    bool readds_special = false;                            //!< at last adds all special tokens again, without their attributes
    enum class Post { file, bos, none } post = Post::file;  //!< what is added to a text where there is a tokenizer.json
};

//! The class by `tokenizer_class` of tokenizer_config.json, else of config.json; by `model_type` where the two disagree or there
//! is none: known are the types that this program loads, and those near them. Classes that are not in the list below count as
//! TokenizersBackend. A LlamaTokenizer whose tokenizer.json has a ByteLevel is a TokenizersBackend.
TokenizerClass find_tokenizer_class(const std::filesystem::path& folder, const Json& tokenizer_config, const Json& model_config);

//! Puts the parts of the class into a tokenizer.json (with a `model`) in place of the file's. Whether any of them says something
//! else than the file. Unigram models stay as they are: the classes have byte pairs, and transformers 5.23 reads such a file
//! letter by letter.
bool apply_tokenizer_class(const TokenizerClass& tokenizer_class, nlohmann::json& file);

//! A normaliser or decoder of tokenizer.json that puts `to` in the place of `from`.
nlohmann::json replace_step(const char* from, const char* to);

}  // namespace xlrm
