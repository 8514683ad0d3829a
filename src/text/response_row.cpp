#include "response_row.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace xlrm {
namespace {

struct Response {
    std::string text;
    std::optional<Messages> context;  // turns before it, where they are in the same list
};

// Text of a list may be empty: it is an answer. An empty field is a hole in the data.
Response response_of(const Fields& fields, const Json& value, const std::string& field) {
    const bool listed = field.ends_with(']');
    if (value.is_string()) return {listed ? fields.any_text(value, field) : fields.text(value, field), {}};
    if (!value.is_array()) fields.bad(field, std::string("is neither text nor a list but ") + value.type_name());
    Messages messages = messages_of(fields, value, field);
    if (messages.back().role != "assistant") fields.bad(field, "does not end with a turn of the assistant");
    Response out{std::move(messages.back().content), {}};
    messages.pop_back();
    if (!messages.empty()) out.context = std::move(messages);
    return out;
}

void read_one(const Fields& fields, PreferenceRow& row) {
    std::string field;
    const Json* value = fields.find({"response", "completion", "messages"}, &field);
    if (value == nullptr) fields.bad("response", "is missing");
    Response response = response_of(fields, *value, field);
    row.prompt = prompt_of(fields, response.context);
    row.answers.push_back(std::move(response.text));
}

float number_of(const Fields& fields, const Json& value, const std::string& field) {
    if (!value.is_number()) fields.bad(field, std::string("is not a number but ") + value.type_name());
    return value.get<float>();
}

void read_labels(const Fields& fields, PreferenceRow& row) {
    const Json& labels = fields.need("labels");
    if (!labels.is_array()) {
        row.labels.push_back(number_of(fields, labels, "labels"));
        return;
    }
    if (labels.empty()) fields.bad("labels", "is empty");
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool masked = labels[i].is_null();
        row.labels.push_back(masked ? std::numeric_limits<float>::quiet_NaN() : number_of(fields, labels[i], "labels[" + std::to_string(i) + "]"));
    }
}

void read_ranking(const Fields& fields, PreferenceRow& row) {
    const Json& responses = fields.need("responses");
    const Json& ranks = fields.need("ranks");
    if (!responses.is_array() || responses.size() < 2) fields.bad("responses", "is not a list of two or more");
    if (!ranks.is_array() || ranks.size() != responses.size()) {
        fields.bad("ranks", "is not a list of one rank for each of the " + std::to_string(responses.size()) + " responses");
    }
    std::vector<Response> all;
    std::vector<float> rank;
    for (std::size_t i = 0; i < responses.size(); ++i) {
        const std::string place = "[" + std::to_string(i) + "]";
        all.push_back(response_of(fields, responses[i], "responses" + place));
        rank.push_back(number_of(fields, ranks[i], "ranks" + place));
        const auto& context = all.back().context;
        const bool same = context.has_value() == all.front().context.has_value() && (!context || same_messages(*context, *all.front().context));
        if (!same) fields.bad("responses" + place, "has other turns before its answer than the first response");
    }
    row.prompt = prompt_of(fields, all.front().context);
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rank[a] < rank[b]; });
    for (const std::size_t i : order) {
        row.answers.push_back(std::move(all[i].text));
        row.labels.push_back(rank[i]);
    }
    row.num_correct = static_cast<std::int32_t>(std::ranges::count(rank, rank[order.front()]));
}

}  // namespace

PreferenceRow response_row(const Fields& fields, RowKind kind) {
    PreferenceRow row;
    row.margin = std::numeric_limits<float>::quiet_NaN();
    if (kind == RowKind::ranking) {
        read_ranking(fields, row);
        return row;
    }
    read_one(fields, row);
    if (kind == RowKind::regression) read_labels(fields, row);
    return row;
}

namespace {

constexpr std::pair<RowKind, const char*> kKinds[] = {{RowKind::preference, "preference"}, {RowKind::document, "document"},
                                                      {RowKind::response, "response"},     {RowKind::ranking, "ranking"},
                                                      {RowKind::regression, "regression"}};

}  // namespace

RowKind parse_row_kind(const std::string& name) {
    for (const auto& [kind, known] : kKinds) {
        if (name == known) return kind;
    }
    fail("rows '" + name + "' are not known (preference, document, response, ranking, regression)", ExitCode::usage);
}

const char* name_of(RowKind kind) {
    return std::ranges::find_if(kKinds, [&](const auto& entry) { return entry.first == kind; })->second;
}

}  // namespace xlrm
