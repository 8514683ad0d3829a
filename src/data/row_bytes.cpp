#include <cmath>
#include <limits>

#include "xlrm/core/language.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {

namespace {

template <class Number>
void put(std::string& bytes, Number value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// One NaN for all.
void put(std::string& bytes, float value) {
    put<float>(bytes, std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value);
}

void put(std::string& bytes, const std::string& text) {
    put(bytes, static_cast<std::int64_t>(text.size()));
    bytes += text;
}

template <class Range>
void put_count(std::string& bytes, const Range& range) {
    put(bytes, static_cast<std::int64_t>(range.size()));
}

void put(std::string& bytes, const std::vector<ChatMessage>& messages) {
    put_count(bytes, messages);
    for (const ChatMessage& message : messages) {
        const auto& [role, content, fields] = message;
        put(bytes, role);
        put(bytes, content);
        put(bytes, fields.dump());
    }
}

}  // namespace

std::string row_bytes(const PreferenceRow& row) {
    std::string bytes;
    // All members by name: one that is added does not compile until it is written here too.
    const auto& [id, lang, subset, prompt, answers, variables, num_correct, margin, labels, dialogues, lang_name, columns] = row;
    static_cast<void>(columns);  // what was read of them is in the other members
    static_cast<void>(lang);     // follows from lang_name and the other rows'
    for (const std::string& text : {id, parse_language(lang_name).full(), subset}) put(bytes, text);
    put(bytes, prompt);
    put_count(bytes, answers);
    for (const RowAnswer& answer : answers) put(bytes, answer.turns);
    put(bytes, variables.dump());
    put_count(bytes, dialogues);
    for (const std::string& dialogue : dialogues) put(bytes, dialogue);
    put(bytes, num_correct);
    put(bytes, margin);
    put_count(bytes, labels);
    for (const float label : labels) put(bytes, label);
    return bytes;
}

}  // namespace xlrm
