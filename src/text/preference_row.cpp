#include "xlrm/text/preference_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "raw_rows.hpp"
#include "response_row.hpp"
#include "row_fields.hpp"
#include "utf8.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/language.hpp"

namespace xlrm {
namespace {

// HH-RLHF's dialogue; nothing where the text is not one. An answer that is empty has lost the blank behind its mark.
std::optional<Messages> dialogue(const std::string& text) {
    static const std::string human = "\n\nHuman:";
    static const std::string assistant = "\n\nAssistant:";
    if (text.compare(0, human.size(), human) != 0) return std::nullopt;
    Messages messages;
    for (std::size_t at = 0; at < text.size();) {
        const bool user = text.compare(at, human.size(), human) == 0;
        std::size_t begin = at + (user ? human.size() : assistant.size());
        if (begin < text.size() && text[begin] == ' ') ++begin;
        at = std::min({text.find(human, begin), text.find(assistant, begin), text.size()});
        messages.push_back({user ? "user" : "assistant", text.substr(begin, at - begin)});
    }
    return messages;
}

// The answers of one side, and the turns before them where they are inside.
struct Side {
    std::vector<std::string> answers;
    std::optional<Messages> context;
};

// The last turn is the answer, what comes before it the context.
Side side_of_messages(const Fields& fields, Messages messages, const std::string& field) {
    if (messages.back().role != "assistant") fields.bad(field, "does not end with a turn of the assistant");
    Side side;
    side.answers = {std::move(messages.back().content)};
    messages.pop_back();
    if (!messages.empty()) side.context = std::move(messages);
    return side;
}

bool same_context(const Side& a, const Side& b) {
    return a.context.has_value() == b.context.has_value() && (!a.context || same_messages(*a.context, *b.context));
}

// Several answers: texts, or a message list each.
Side side_of_list(const Fields& fields, const Json& list, const std::string& field) {
    Side side;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string here = field + "[" + std::to_string(i) + "]";
        Side one;
        if (list[i].is_array()) one = side_of_messages(fields, messages_of(fields, list[i], here), here);
        else one.answers = {fields.any_text(list[i], here)};
        if (i > 0 && !same_context(one, side)) fields.bad(here, "has other turns before its answer than '" + field + "[0]'");
        side.context = std::move(one.context);
        side.answers.push_back(std::move(one.answers.front()));
    }
    return side;
}

Side side_of(const Fields& fields, const char* field, bool has_prompt) {
    const Json& value = fields.need(field);
    if (value.is_object()) return side_of_messages(fields, messages_of(fields, Json::array({value}), field), field);
    if (value.is_array() && !value.empty() && !value.front().is_object()) return side_of_list(fields, value, field);
    if (value.is_array()) return side_of_messages(fields, messages_of(fields, value, field), field);
    if (!value.is_string()) fields.bad(field, std::string("is neither text nor a list but ") + value.type_name());
    // An empty field is a hole in the data; who means an empty answer says so with a turn of the assistant.
    if (value.get_ref<const std::string&>().empty()) fields.bad(field, R"(is empty; if the answer is, write [{"role": "assistant", "content": ""}])");
    if (has_prompt) return {{value.get<std::string>()}, std::nullopt};
    std::optional<Messages> messages = dialogue(value.get<std::string>());
    if (!messages) fields.bad("prompt", "is missing");
    return side_of_messages(fields, std::move(*messages), field);
}

void read_margin(const Fields& fields, PreferenceRow& row) {
    row.margin = std::numeric_limits<float>::quiet_NaN();
    const Json* margin = fields.find({"margin"});
    if (margin == nullptr) return;
    if (!margin->is_number()) fields.bad("margin", std::string("is not a number but ") + margin->type_name());
    row.margin = margin->get<float>();
}

// RewardBench 2 tells both numbers; its rule counts the right answers by `num_correct`.
void read_counts(const Fields& fields, PreferenceRow& row) {
    const auto answers = static_cast<std::int64_t>(row.answers.size());
    const auto total = fields.count("total_completions");
    if (total && *total != answers) {
        fields.bad("total_completions", "is " + std::to_string(*total) + ", but 'chosen' and 'rejected' hold " + std::to_string(answers) + " answers");
    }
    const auto correct = fields.count("num_correct");
    if (!correct) return;
    if (*correct < 1 || *correct >= answers) fields.bad("num_correct", "is " + std::to_string(*correct) + " of " + std::to_string(answers) + " answers");
    row.num_correct = static_cast<std::int32_t>(*correct);
}

PreferenceRow preference_row(const Fields& fields) {
    PreferenceRow row;
    const bool has_prompt = fields.find(kPromptNames) != nullptr;
    Side chosen = side_of(fields, "chosen", has_prompt);
    Side rejected = side_of(fields, "rejected", has_prompt);
    if (!same_context(chosen, rejected)) fields.bad("rejected", "has other turns before its answer than 'chosen'");
    row.prompt = prompt_of(fields, chosen.context);
    row.answers = std::move(chosen.answers);
    row.num_correct = static_cast<std::int32_t>(row.answers.size());
    row.answers.insert(row.answers.end(), rejected.answers.begin(), rejected.answers.end());
    read_counts(fields, row);
    read_margin(fields, row);
    return row;
}

// "en", "kor", "zh-CN", "zho_Hans".
bool names_language(const std::string& name) {
    const std::size_t letters = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
    const std::size_t code = std::min(letters, name.size());
    if (code < 2 || code > 3 || name == "key") return false;
    if (letters == std::string::npos) return true;
    const std::string rest = name.substr(code + 1);
    return (name[code] == '_' || name[code] == '-') && rest.size() >= 2 && rest.size() <= 4 &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

std::vector<PreferenceRow> documents(const Fields& fields, const std::string& lang) {
    std::vector<PreferenceRow> rows;
    const auto add = [&](const std::string& language, const Json& text, const std::string& field) {
        PreferenceRow row;
        row.lang = language;
        row.answers = {fields.text(text, field)};
        row.margin = std::numeric_limits<float>::quiet_NaN();
        rows.push_back(std::move(row));
    };
    const Json* text = fields.find({"text"});
    if (text != nullptr && !text->is_object()) {
        add(lang, *text, "text");
        return rows;
    }
    const bool keyed = fields.object().contains("key");
    for (const auto& [name, value] : (text != nullptr ? *text : fields.object()).items()) {
        // `id` is Indonesian where the row has a `key`, else the row's id.
        if (value.is_null() || (text == nullptr && (!names_language(name) || (name == "id" && !keyed)))) continue;
        add(canonical_language(name), value, text != nullptr ? "text." + name : name);
    }
    if (rows.empty()) fields.bad("text", "is missing");
    return rows;
}

RowKind kind_of(const Json& row) {
    if (row.contains("chosen")) return RowKind::preference;
    if (row.contains("responses")) return RowKind::ranking;
    if (row.contains("labels")) return RowKind::regression;
    for (const char* field : {"response", "completion", "messages"}) {
        if (row.contains(field)) return RowKind::response;
    }
    return RowKind::document;
}

}  // namespace

std::vector<PreferenceRow> parse_row(std::string_view json, RowKind kind, const std::string& where, const std::string& default_id,
                                     const std::string& default_lang) {
    return rows_of_json(parse_json(json, where), kind, where, default_id, default_lang);
}

std::vector<PreferenceRow> rows_of_json(const Json& object, RowKind kind, const std::string& where, const std::string& default_id,
                                        const std::string& default_lang) {
    if (!object.is_object()) fail(where + ": a JSON object is expected, not " + object.type_name());
    const Fields fields(object, where);
    std::string lang = fields.label({"lang", "language"});
    lang = canonical_language(lang.empty() ? default_lang : lang);
    std::vector<PreferenceRow> rows;
    if (kind == RowKind::document) {
        rows = documents(fields, lang);
    } else {
        rows.push_back(kind == RowKind::preference ? preference_row(fields) : response_row(fields, kind));
        rows.front().lang = lang;
    }
    std::string id = kind == RowKind::document ? fields.label({"key", "id"}) : fields.label({"id"});
    if (id.empty()) id = default_id;
    for (PreferenceRow& row : rows) {
        row.id = id;
        row.subset = fields.label({"subset", "source"});
    }
    return rows;
}

void for_each_row(const std::filesystem::path& path, RowKind kind, const std::string& default_lang,
                  const std::function<void(std::int64_t line, PreferenceRow&& row)>& row) {
    for_each_raw_row(path, [&](std::int64_t line, const RawRow& raw) {
        const std::string number = ":" + std::to_string(line);
        for (PreferenceRow& parsed : rows_of_json(raw(), kind, path.string() + number, path.filename().string() + number, default_lang)) {
            row(line, std::move(parsed));
        }
    });
}

RowKind detect_row_kind(const std::filesystem::path& path) {
    std::optional<RowKind> kind;
    struct Found {};
    try {
        for_each_raw_row(path, [&](std::int64_t, const RawRow& raw) {
            const Json object = raw();
            kind = object.is_object() ? kind_of(object) : RowKind::document;
            throw Found{};  // the rest need not be read
        });
    } catch (const Found&) {
        return *kind;
    }
    fail(path.string() + ": the file has no rows");
}

}  // namespace xlrm
