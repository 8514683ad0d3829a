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
    Charsmap(std::string_view bytes, const std::string& where);

    //! `text` normalised as Hugging Face's library does: of each extended grapheme cluster of fewer than 6 bytes the replacement
    //! of its shortest mapped prefix stands for the whole; elsewhere each mapped character is replaced.
    std::string apply(std::string_view text) const;

    struct Match {
        std::size_t bytes = 0;  //!< of the prefix; 0: none is mapped
        std::string_view replacement;
    };
    //! The longest mapped prefix of `text`, which is what sentencepiece replaces.
    Match longest(std::string_view text) const;
    //! Whether any mapped text begins with `text`.
    bool leads_on(std::string_view text) const;

private:
    template <class Take>
    bool each_prefix(std::string_view text, Take take) const;
    std::optional<std::string_view> find(std::string_view text) const;
    void append_cluster(std::string_view cluster, std::string& out) const;
    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

//! Throws Error naming `where` for what is no base64.
std::string decode_base64(const std::string& text, const std::string& where);

}  // namespace xlrm
