#include "response_row.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace xlrm {
namespace {

// Turns of an answer as they stand in its field, the last is the answer. Text of a list may be empty: it is an answer. An empty
// field is a hole in the data.
Messages response_of(const Fields& fields, const Json& value, const std::string& field) {
    const bool listed = field.ends_with(']');
    if (value.is_string()) return {{"assistant", listed ? fields.any_text(value, field) : fields.text(value, field)}};
    if (!value.is_array()) fields.bad(field, std::string("is neither text nor a list but ") + value.type_name());
    Messages messages = messages_of(fields, value, field);
    if (messages.back().role != "assistant") fields.bad(field, "does not end with a turn of the assistant");
    return messages;
}

void read_one(const Fields& fields, PreferenceRow& row) {
    std::string field;
    const Json* value = fields.find({"response", "completion", "messages"}, &field);
    if (value == nullptr) fields.bad("response", "is missing");
    set_conversations(row, {conversation_of(fields, prompt_of(fields), response_of(fields, *value, field), field)});
}

void read_labels(const Fields& fields, PreferenceRow& row) {
    const Json& labels = fields.need("labels");
    if (!labels.is_array()) {
        row.labels.push_back(fields.number(labels, "labels"));
        return;
    }
    if (labels.empty()) fields.bad("labels", "is empty");
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool masked = labels[i].is_null();
        row.labels.push_back(masked ? std::numeric_limits<float>::quiet_NaN()
                                    : fields.number(labels[i], "labels[" + std::to_string(i) + "]"));
    }
}

void read_ranking(const Fields& fields, PreferenceRow& row) {
    const Json& responses = fields.need("responses");
    const Json& ranks = fields.need("ranks");
    if (!responses.is_array() || responses.size() < 2) fields.bad("responses", "is not a list of two or more");
    if (!ranks.is_array() || ranks.size() != responses.size()) {
        fields.bad("ranks", "is not a list of one rank for each of the " + std::to_string(responses.size()) + " responses");
    }
    const Prompt prompt = prompt_of(fields);
    std::vector<Messages> all;
    std::vector<float> rank;
    for (std::size_t i = 0; i < responses.size(); ++i) {
        const std::string place = "[" + std::to_string(i) + "]";
        const std::string field = "responses" + place;
        all.push_back(conversation_of(fields, prompt, response_of(fields, responses[i], field), field));
        rank.push_back(fields.number(ranks[i], "ranks" + place));
        for (std::size_t k = 0; k < i; ++k) {
            if (rank[k] == rank[i] && ranks[k] != ranks[i]) {
                fields.bad("ranks" + place, "cannot be told from another in single precision: " + ranks[i].dump());
            }
        }
    }
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rank[a] < rank[b]; });
    std::vector<Messages> sorted;
    for (const std::size_t i : order) {
        sorted.push_back(std::move(all[i]));
        row.labels.push_back(rank[i]);
    }
    set_conversations(row, std::move(sorted));
    row.num_correct = static_cast<std::int32_t>(std::ranges::count(rank, rank[order.front()]));
}

}  // namespace

PreferenceRow response_row(const Fields& fields, RowKind kind) {
    PreferenceRow row;
    row.margin = std::numeric_limits<float>::quiet_NaN();
    row.variables = variables_of(fields);
    if (kind == RowKind::ranking) {
        read_ranking(fields, row);
        return row;
    }
    read_one(fields, row);
    if (kind == RowKind::regression) read_labels(fields, row);
    return row;
}

PreferenceRow prompt_row(const Fields& fields) {
    PreferenceRow row;
    row.margin = std::numeric_limits<float>::quiet_NaN();
    row.variables = variables_of(fields);
    row.prompt = prompt_of(fields).turns;
    if (const Json* messages = row.prompt.empty() ? fields.find({"messages"}) : nullptr; messages != nullptr)
        row.prompt = messages_of(fields, *messages, "messages");
    if (row.prompt.empty()) fields.bad("prompt", "is missing");
    add_system(fields, row.prompt);
    return row;
}

void keep_prompt(PreferenceRow& row) {
    row.prompt = row.context(0);
    if (!row.dialogues.empty()) {
        std::string& text = row.dialogues.front();
        text.resize(text.size() - row.answers.front().text().size());
        row.dialogues.resize(1);
    }
    row.answers.clear();
}

namespace {

constexpr std::pair<RowKind, const char*> kKinds[] = {{RowKind::preference, "preference"}, {RowKind::document, "document"},
                                                      {RowKind::response, "response"},     {RowKind::ranking, "ranking"},
                                                      {RowKind::regression, "regression"}, {RowKind::prompt, "prompt"}};

}  // namespace

RowKind parse_row_kind(const std::string& name) {
    for (const auto& [kind, known] : kKinds) {
        if (name == known && kind != RowKind::prompt) return kind;
    }
    fail("rows '" + name + "' are not known (preference, document, response, ranking, regression)", ExitCode::usage);
}

const char* name_of(RowKind kind) {
    return std::ranges::find_if(kKinds, [&](const auto& entry) { return entry.first == kind; })->second;
}

}  // namespace xlrm
