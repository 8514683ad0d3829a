#include "encoded_item.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "template_fields.hpp"
#include "text_encoder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

using Ids = std::vector<std::int32_t>;

std::int32_t shared_prefix(const Ids& prompt, const Ids& whole) {
    const auto end = std::mismatch(prompt.begin(), prompt.end(), whole.begin(), whole.end()).first;
    // At least one token belongs to the answer.
    return static_cast<std::int32_t>(
        std::min<std::ptrdiff_t>(end - prompt.begin(), static_cast<std::ptrdiff_t>(whole.size()) - 1));
}

bool says_nothing(const ChatMessage& answer) { return answer.content.empty() && !answer.fields.contains("tool_calls"); }

// As TRL 1.16 has it in DPO: the completions of an item begin where the first of its texts leaves the common turns (without
// those, where the texts part).
void set_completions(EncodedItem& item, const Ids& common) {
    const Ids& first = item.texts.front().tokens;
    auto begin = static_cast<std::int32_t>(first.size());
    for (const EncodedItem::Text& text : item.texts)
        begin = std::min(begin, shared_prefix(common.empty() ? first : common, text.tokens));
    for (EncodedItem::Text& text : item.texts) text.lead = text.prompt - begin;
}

// TRL 1.16's prompt of plain texts that hold it (extract_prompt): what they have in common, less a blank at its end.
std::string common_text(const std::vector<std::string>& texts) {
    std::size_t end = texts.front().size();
    for (const std::string& text : texts) {
        const auto parted = std::mismatch(text.begin(), text.end(), texts.front().begin(), texts.front().end()).first;
        end = std::min(end, static_cast<std::size_t>(parted - text.begin()));
    }
    if (end > 0 && texts.front()[end - 1] == ' ') --end;
    return texts.front().substr(0, end);
}

void add_text(EncodedItem& item, const TextEncoder& encoder, const std::string& text, const ChatMessage& answer,
              const Ids& prompt) {
    EncodedItem::Text encoded{encoder.whole(text, answer.content), 0, count_code_points(text)};
    encoded.prompt = shared_prefix(prompt, encoded.tokens);
    item.texts.push_back(std::move(encoded));
    item.empty = item.empty || says_nothing(answer);
}

// Plain texts, which hold their prompts, as they were written.
void encode_dialogues(EncodedItem& item, const PreferenceRow& row, const TextEncoder& encoder) {
    for (std::size_t k = 0; k < row.dialogues.size(); ++k) {
        const std::string& text = row.dialogues[k];
        const ChatMessage& answer = row.answers[k].turns.back();
        add_text(item, encoder, text, answer, encoder.prompt(text.substr(0, text.size() - answer.content.size())));
    }
    set_completions(item, encoder.prompt(common_text(row.dialogues)));
}

void encode_conversations(EncodedItem& item, const PreferenceRow& row, const TextEncoder& encoder,
                          const ChatTemplate& chat_template) {
    const std::optional<std::string> common_turns = render_common(row, chat_template, true);
    const Ids common = common_turns ? encoder.prompt(*common_turns) : Ids();
    std::vector<std::string> texts;
    for (std::size_t k = 0; k < row.answers.size(); ++k) {
        const bool plain = row.answers[k].turns.size() == 1 && common_turns;
        texts.push_back(chat_template.render(row.conversation(k), false, row.variables));
        add_text(item, encoder, texts.back(), row.answers[k].turns.back(),
                 plain ? common : encoder.prompt(chat_template.render(row.context(k), true, row.variables)));
    }
    set_completions(item, common);
    item.unread = unread_fields(row, texts, chat_template, item.where);
}

template <class T>
void put_raw(std::string& bytes, const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_raw(std::string& bytes, const std::string& text) {
    put_raw(bytes, text.size());
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
    EncodedItem item{line, where, row.id, row.lang_name, row.subset, row.margin, row.num_correct, {}, false, row.labels};
    const TextEncoder encoder(tokenizer, chat_template, where);
    const bool system = !row.prompt.empty() && row.prompt.front().role == "system";
    if (row.is_document()) {
        const std::string& text = row.answers.front().text();
        item.texts.push_back({encoder.document(text), 0, count_code_points(text)});
    } else if (chat_template.name == "concat" && !row.dialogues.empty() && !system) {
        encode_dialogues(item, row, encoder);
    } else {
        encode_conversations(item, row, encoder, chat_template);
    }
    return item;
}

void pack(const EncodedItem& item, std::string& bytes) {
    put_raw(bytes, item.line);
    put_raw(bytes, item.where);
    put_raw(bytes, item.id);
    put_raw(bytes, item.lang);
    put_raw(bytes, item.subset);
    put_raw(bytes, item.margin);
    put_raw(bytes, item.num_correct);
    put_raw(bytes, item.empty);
    put_raw(bytes, item.occurrence);
    put_raw(bytes, item.labels.size());
    bytes.append(reinterpret_cast<const char*>(item.labels.data()), item.labels.size() * sizeof(float));
    put_raw(bytes, item.unread.size());
    for (const std::string& field : item.unread) put_raw(bytes, field);
    put_raw(bytes, item.texts.size());
    for (const EncodedItem::Text& text : item.texts) {
        put_raw(bytes, text.prompt);
        put_raw(bytes, text.characters);
        put_raw(bytes, text.lead);
        put_raw(bytes, text.tokens.size());
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
    item.empty = take<bool>(bytes, at);
    item.occurrence = take<std::int32_t>(bytes, at);
    item.labels.resize(take<std::size_t>(bytes, at));
    for (float& label : item.labels) label = take<float>(bytes, at);
    item.unread.resize(take<std::size_t>(bytes, at));
    for (std::string& field : item.unread) field = take_text(bytes, at);
    item.texts.resize(take<std::size_t>(bytes, at));
    for (EncodedItem::Text& text : item.texts) {
        text.prompt = take<std::int32_t>(bytes, at);
        text.characters = take<std::int64_t>(bytes, at);
        text.lead = take<std::int32_t>(bytes, at);
        text.tokens.resize(take<std::size_t>(bytes, at));
        assert(at + text.tokens.size() * sizeof(std::int32_t) <= bytes.size());
        if (!text.tokens.empty()) std::memcpy(text.tokens.data(), bytes.data() + at, text.tokens.size() * sizeof(std::int32_t));
        at += text.tokens.size() * sizeof(std::int32_t);
    }
    return item;
}

}  // namespace xlrm
