#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! One entry of `added_tokens` in tokenizer.json, or of what a folder adds to it.
struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    bool single_word = false, lstrip = false, rstrip = false, normalized = false, special = false;
    bool is_text = false;  //!< found, but read as text
    bool bare = false;     //!< a folder names it by its content alone

    bool finds_as(const AddedToken& other) const {
        return content == other.content && single_word == other.single_word && lstrip == other.lstrip && rstrip == other.rstrip &&
               normalized == other.normalized && is_text == other.is_text;
    }
};

//! Finds added tokens in text: leftmost, then longest, without overlap.
class AddedTokenFinder {
public:
    void add(const AddedToken& token, const std::string& text);
    bool empty() const { return tokens_.empty(); }

    //! A piece of the text: an added token (id >= 0), or text between (id = -1).
    struct Piece {
        std::int32_t id = -1;
        std::string_view text;
    };
    //! White space that `lstrip` and `rstrip` take belongs to the token; with `single_word` a match inside a word is text. Text
    //! that is found and not taken is not searched again.
    void split(std::string_view text, std::vector<Piece>& pieces) const;

private:
    struct Node {
        std::vector<std::pair<char, std::int32_t>> children;
        std::int32_t token = -1;  // index into tokens_
    };
    std::int32_t longest(std::string_view text, std::size_t at, std::size_t& end) const;
    std::vector<AddedToken> tokens_;
    std::vector<Node> nodes_ = std::vector<Node>(1);
    bool first_[256] = {};
};

}  // namespace xlrm
