#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace xlrm {

//! The `decoder` of a tokenizer.json: tokens → text. ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip, BPEDecoder,
//! WordPiece, and a Sequence of them; without a decoder tokens are joined by spaces. Thread-safe for const calls.
class Decoder {
public:
    //! `json` may be null. Throws Error naming `where` and the feature that is not supported.
    Decoder(const nlohmann::json& json, const std::string& where);
    //! Whether it is ByteLevel alone: the text is the concatenation of the tokens' bytes.
    bool is_byte_level() const { return byte_level_; }
    std::string decode(std::vector<std::string> tokens) const;

private:
    using Stage = std::function<void(std::vector<std::string>& tokens)>;
    void add(const nlohmann::json& json, const std::string& where);
    std::vector<Stage> stages_;
    bool byte_level_ = false, missing_ = false;
};

}  // namespace xlrm
