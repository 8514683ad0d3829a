#include "encoded_item.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "utf8.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

using Ids = std::vector<std::int32_t>;

// Tokens of a rendered text: a template that writes special tokens as text gets none from the tokenizer.
class TextEncoder {
public:
    TextEncoder(const Tokenizer& tokenizer, const ChatTemplate& chat, const std::string& where) : tokenizer_(tokenizer), chat_(chat), where_(where) {}

    Ids prompt(const std::string& text) const {
        if (!chat_.writes_bos) return plain(text, chat_.name == "none");
        Ids ids = plain(text, false);
        if (tokenizer_.bos && (ids.empty() || ids.front() != *tokenizer_.bos)) {
            fail(where_ + ": template " + chat_.name + " begins with BOS as text, which this tokenizer does not take for its BOS token; choose another --template");
        }
        return ids;
    }
    Ids whole(const std::string& text) const {
        Ids ids = prompt(text);
        if (!chat_.writes_eos) close(ids);
        return ids;
    }
    Ids document(const std::string& text) const {
        Ids ids = plain(text, true);
        close(ids);
        return ids;
    }

private:
    Ids plain(const std::string& text, bool prefix) const {
        Ids ids = tokenizer_.encode(text, false);
        if (prefix) ids.insert(ids.begin(), tokenizer_.prefix.begin(), tokenizer_.prefix.end());
        return ids;
    }
    void close(Ids& ids) const {
        if (tokenizer_.eos && (ids.empty() || ids.back() != *tokenizer_.eos)) ids.push_back(*tokenizer_.eos);
    }
    const Tokenizer& tokenizer_;
    const ChatTemplate& chat_;
    const std::string& where_;
};

std::int32_t shared_prefix(const Ids& prompt, const Ids& whole) {
    const auto end = std::mismatch(prompt.begin(), prompt.end(), whole.begin(), whole.end()).first;
    // At least one token belongs to the answer.
    return static_cast<std::int32_t>(std::min<std::ptrdiff_t>(end - prompt.begin(), static_cast<std::ptrdiff_t>(whole.size()) - 1));
}

template <class T>
void put(std::string& bytes, const T& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
void put(std::string& bytes, const std::string& text) {
    put(bytes, text.size());
    bytes += text;
}

template <class T>
T take(std::string_view bytes, std::size_t& at) {
    T value;
    assert(at + sizeof value <= bytes.size());
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return value;
}
std::string take_text(std::string_view bytes, std::size_t& at) {
    const auto size = take<std::size_t>(bytes, at);
    assert(at + size <= bytes.size());
    at += size;
    return std::string(bytes.substr(at - size, size));
}

}  // namespace

EncodedItem encode_item(const PreferenceRow& row, std::int64_t line, const std::string& where, const Tokenizer& tokenizer,
                        const ChatTemplate& chat_template) {
    EncodedItem item{line, where, row.id, row.lang, row.subset, row.margin, row.num_correct, {}, false, false, row.labels};
    const TextEncoder encoder(tokenizer, chat_template, where);
    if (row.prompt.empty()) {
        item.texts.push_back({encoder.document(row.answers.front()), 0, count_code_points(row.answers.front())});
        return item;
    }
    std::vector<ChatMessage> messages = row.prompt;
    const Ids prompt = encoder.prompt(chat_template.render(messages, true));
    messages.push_back({"assistant", ""});
    for (const std::string& answer : row.answers) {
        messages.back().content = answer;
        const std::string text = chat_template.render(messages, false);
        EncodedItem::Text encoded{encoder.whole(text), 0, count_code_points(text)};
        encoded.prompt = shared_prefix(prompt, encoded.tokens);
        item.texts.push_back(std::move(encoded));
        item.empty = item.empty || answer.empty();
    }
    item.tied = item.labels.empty() && item.texts.size() == 2 && item.texts[0].tokens == item.texts[1].tokens;
    return item;
}

void pack(const EncodedItem& item, std::string& bytes) {
    put(bytes, item.line);
    put(bytes, item.where);
    put(bytes, item.id);
    put(bytes, item.lang);
    put(bytes, item.subset);
    put(bytes, item.margin);
    put(bytes, item.num_correct);
    put(bytes, item.tied);
    put(bytes, item.empty);
    put(bytes, item.labels.size());
    bytes.append(reinterpret_cast<const char*>(item.labels.data()), item.labels.size() * sizeof(float));
    put(bytes, item.texts.size());
    for (const EncodedItem::Text& text : item.texts) {
        put(bytes, text.prompt);
        put(bytes, text.characters);
        put(bytes, text.tokens.size());
        bytes.append(reinterpret_cast<const char*>(text.tokens.data()), text.tokens.size() * sizeof(std::int32_t));
    }
}

EncodedItem unpack(std::string_view bytes, std::size_t& at) {
    EncodedItem item;
    item.line = take<std::int64_t>(bytes, at);
    item.where = take_text(bytes, at);
    item.id = take_text(bytes, at);
    item.lang = take_text(bytes, at);
    item.subset = take_text(bytes, at);
    item.margin = take<float>(bytes, at);
    item.num_correct = take<std::int32_t>(bytes, at);
    item.tied = take<bool>(bytes, at);
    item.empty = take<bool>(bytes, at);
    item.labels.resize(take<std::size_t>(bytes, at));
    for (float& label : item.labels) label = take<float>(bytes, at);
    item.texts.resize(take<std::size_t>(bytes, at));
    for (EncodedItem::Text& text : item.texts) {
        text.prompt = take<std::int32_t>(bytes, at);
        text.characters = take<std::int64_t>(bytes, at);
        text.tokens.resize(take<std::size_t>(bytes, at));
        assert(at + text.tokens.size() * sizeof(std::int32_t) <= bytes.size());
        std::memcpy(text.tokens.data(), bytes.data() + at, text.tokens.size() * sizeof(std::int32_t));
        at += text.tokens.size() * sizeof(std::int32_t);
    }
    return item;
}

}  // namespace xlrm
