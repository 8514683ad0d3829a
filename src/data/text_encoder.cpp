#include "text_encoder.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {

TextEncoder::Ids TextEncoder::prompt(const std::string& text) const {
    if (joins()) return tokenizer_.encode(text, true);
    if (!chat_.writes_bos) return plain(text, chat_.plain_text);
    Ids ids = plain(text, false);
    if (tokenizer_.bos && (ids.empty() || ids.front() != *tokenizer_.bos)) {
        fail(where_ + ": template " + chat_.name +
             " begins with BOS as text, which this tokenizer does not take for its BOS token; choose another --template");
    }
    return ids;
}

TextEncoder::Ids TextEncoder::whole(const std::string& text, const std::string& answer) const {
    if (joins()) return joined(text, answer);
    Ids ids = prompt(text);
    if (!chat_.writes_eos) close(ids);
    return ids;
}

TextEncoder::Ids TextEncoder::document(const std::string& text) const {
    if (joins()) return joined(text, text);
    Ids ids = plain(text, true);
    close(ids);
    return ids;
}

// TRL's rule: EOS is a part of the text, unless the answer ends with it, and the tokenizer adds what it adds to any text.
TextEncoder::Ids TextEncoder::joined(const std::string& text, const std::string& answer) const {
    if (!tokenizer_.eos) {
        fail(where_ +
             ": template concat ends a text with EOS, as TRL does, and the tokenizer names none; give eos_token in "
             "tokenizer_config.json");
    }
    const std::string mark = tokenizer_.decode({*tokenizer_.eos});
    const bool known = !mark.empty() && tokenizer_.encode(mark, false) == Ids{*tokenizer_.eos};
    if (known) return tokenizer_.encode(answer.ends_with(mark) ? text : text + mark, true);
    Ids ids = plain(text, true);
    close(ids);
    ids.insert(ids.end(), tokenizer_.suffix.begin(), tokenizer_.suffix.end());
    return ids;
}

TextEncoder::Ids TextEncoder::plain(const std::string& text, bool prefix) const {
    Ids ids = tokenizer_.encode(text, false);
    if (prefix) ids.insert(ids.begin(), tokenizer_.prefix.begin(), tokenizer_.prefix.end());
    return ids;
}

void TextEncoder::close(Ids& ids) const {
    if (tokenizer_.eos && (ids.empty() || ids.back() != *tokenizer_.eos)) ids.push_back(*tokenizer_.eos);
}

}  // namespace xlrm
