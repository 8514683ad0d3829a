#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "regex.hpp"

namespace xlrm {

//! The `normalizer` of a tokenizer.json: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Replace, Prepend, Nmt,
//! Precompiled (sentencepiece's character map), ByteLevel. Thread-safe for const calls.
class Normalizer {
public:
    Normalizer() = default;
    //! `json` may be null. Throws Error naming `where` and the feature that is not supported.
    Normalizer(const nlohmann::json& json, const std::string& where);

    struct Scratch {
        std::shared_ptr<Regex::Scratch> regex = Regex::make_scratch();
        std::string text, next;
    };
    //! The normal form of valid UTF-8; it points into `text` or `scratch`, until the next call. `keeps_begin` is set to false
    //! where the first character of the text is gone (it decides whether Metaspace takes a word for the first).
    std::string_view apply(std::string_view text, Scratch& scratch, bool& keeps_begin) const;
    std::string apply(std::string_view text) const;

private:
    //! Writes the new text and returns true, or returns false: the text stays.
    using Stage = std::function<bool(std::string_view text, Scratch& scratch, std::string& out)>;
    void add(const nlohmann::json& json, const std::string& where);
    void add_replace(const nlohmann::json& json, const std::string& where);
    struct Step {
        Stage stage;
        bool drops;  //!< may leave out characters
    };
    void add(Stage stage, bool drops = false) { steps_.push_back({std::move(stage), drops}); }
    std::vector<Step> steps_;
};

}  // namespace xlrm
