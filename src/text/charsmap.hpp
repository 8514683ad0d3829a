#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! Sentencepiece's `precompiled_charsmap`: a length in bytes, a double-array trie of so many bytes (Darts-clone's 32-bit units,
//! little endian), and the replacements, each ended by a zero byte. The trie's values are offsets of replacements.
class Charsmap {
public:
    //! Throws Error naming `where` if the map is damaged.
    Charsmap(const std::string& base64, const std::string& where);

    //! `text` normalised as Hugging Face's library does: of each extended grapheme cluster of fewer than 6 bytes the replacement
    //! of its shortest mapped prefix stands for the whole; elsewhere each mapped character is replaced.
    std::string apply(std::string_view text) const;

private:
    std::optional<std::string_view> find(std::string_view text) const;
    void append_cluster(std::string_view cluster, std::string& out) const;
    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

}  // namespace xlrm
