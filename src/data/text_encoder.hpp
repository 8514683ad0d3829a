#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! Tokens of a rendered text: a template that writes special tokens as text gets none from the tokenizer.
class TextEncoder {
public:
    using Ids = std::vector<std::int32_t>;
    //! All three must outlive the object; `where` stands in messages.
    TextEncoder(const Tokenizer& tokenizer, const ChatTemplate& chat, const std::string& where)
        : tokenizer_(tokenizer), chat_(chat), where_(where) {}

    Ids prompt(const std::string& text) const;
    //! `answer`: with which the text ends.
    Ids whole(const std::string& text, const std::string& answer) const;
    Ids document(const std::string& text) const;

private:
    bool joins() const { return chat_.name == "concat"; }
    Ids joined(const std::string& text, const std::string& answer) const;
    Ids plain(const std::string& text, bool prefix) const;
    void close(Ids& ids) const;
    const Tokenizer& tokenizer_;
    const ChatTemplate& chat_;
    const std::string& where_;
};

}  // namespace xlrm
