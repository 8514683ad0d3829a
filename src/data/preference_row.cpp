#include "xlrm/data/preference_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "rated_rows.hpp"
#include "response_row.hpp"
#include "row_fields.hpp"
#include "row_forms.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/core/utf8.hpp"

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

// The turns of each answer of one side, as they stand in its field: the last is the answer.
using Side = std::vector<Messages>;

Messages ending_with_an_answer(const Fields& fields, Messages&& messages, const std::string& field) {
    if (messages.back().role != "assistant") fields.bad(field, "does not end with a turn of the assistant");
    return std::move(messages);
}

// Several answers: texts, or a message list each.
Side side_of_list(const Fields& fields, const Json& list, const std::string& field) {
    Side side;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string here = field + "[" + std::to_string(i) + "]";
        if (list[i].is_array())
            side.push_back(ending_with_an_answer(fields, messages_of(fields, list[i], here), here));
        else
            side.push_back({{"assistant", fields.any_text(list[i], here)}});
    }
    return side;
}

Side side_of(const Fields& fields, const char* field, bool has_prompt) {
    const Json& value = fields.need(field);
    if (value.is_object()) return {ending_with_an_answer(fields, messages_of(fields, Json::array({value}), field), field)};
    if (value.is_array() && !value.empty() && !value.front().is_object()) return side_of_list(fields, value, field);
    if (value.is_array()) return {ending_with_an_answer(fields, messages_of(fields, value, field), field)};
    if (value.is_binary()) fields.any_text(value, field);  // which says what is wrong
    if (!value.is_string()) fields.bad(field, std::string("is neither text nor a list but ") + value.type_name());
    // An empty field is a hole in the data; who means an empty answer says so with a turn of the assistant.
    if (value.get_ref<const std::string&>().empty())
        fields.bad(field, R"(is empty; if the answer is, write [{"role": "assistant", "content": ""}])");
    if (has_prompt) return {{{"assistant", value.get<std::string>()}}};
    std::optional<Messages> messages = dialogue(value.get<std::string>());
    if (!messages) fields.bad("prompt", "is missing");
    return {ending_with_an_answer(fields, std::move(*messages), field)};
}

void read_margin(const Fields& fields, PreferenceRow& row) {
    row.margin = std::numeric_limits<float>::quiet_NaN();
    const Json* margin = fields.find({"margin"});
    if (margin == nullptr) return;
    row.margin = fields.number(*margin, "margin");
}

// RewardBench 2 tells both numbers; its rule counts the right answers by `num_correct`.
void read_counts(const Fields& fields, PreferenceRow& row) {
    const auto answers = static_cast<std::int64_t>(row.answers.size());
    const auto total = fields.count("total_completions");
    if (total && *total != answers) {
        fields.bad("total_completions",
                   "is " + std::to_string(*total) + ", but 'chosen' and 'rejected' hold " + std::to_string(answers) + " answers");
    }
    const auto correct = fields.count("num_correct");
    if (!correct) return;
    if (*correct < 1 || *correct >= answers)
        fields.bad("num_correct", "is " + std::to_string(*correct) + " of " + std::to_string(answers) + " answers");
    row.num_correct = static_cast<std::int32_t>(*correct);
}

// Both sides as they were written, where the prompt is inside both texts.
std::vector<std::string> dialogues_of(const Fields& fields) {
    const Json& chosen = fields.need("chosen");
    const Json& rejected = fields.need("rejected");
    if (!chosen.is_string() || !rejected.is_string()) return {};
    return {chosen.get<std::string>(), rejected.get<std::string>()};
}

PreferenceRow preference_row(const Fields& fields) {
    PreferenceRow row;
    const Prompt prompt = prompt_of(fields);
    std::vector<Messages> conversations;
    for (const char* field : {"chosen", "rejected"}) {
        for (Messages& turns : side_of(fields, field, !prompt.turns.empty())) {
            conversations.push_back(conversation_of(fields, prompt, std::move(turns), field));
        }
        if (field == std::string_view("chosen")) row.num_correct = static_cast<std::int32_t>(conversations.size());
    }
    set_conversations(row, std::move(conversations));
    if (prompt.turns.empty()) row.dialogues = dialogues_of(fields);
    row.variables = variables_of(fields);
    read_counts(fields, row);
    read_margin(fields, row);
    return row;
}

// "en", "kor", "zh-CN", "zho_Hans".
bool names_language(const std::string& name) {
    const std::size_t letters = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
    const std::size_t code = std::min(letters, name.size());
    if (code < 2 || code > 3 || name == "key") return false;
    if (letters == std::string::npos && !is_known_language(name)) return false;  // "url", "src"
    if (letters == std::string::npos) return true;
    const std::string rest = name.substr(code + 1);
    return (name[code] == '_' || name[code] == '-') && rest.size() >= 2 && rest.size() <= 4 &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

std::vector<PreferenceRow> documents(const Fields& fields, const std::string& lang) {
    std::vector<PreferenceRow> rows;
    const auto add = [&](const std::string& name, const Json& text, const std::string& field) {
        PreferenceRow row;
        row.lang_name = name;
        row.answers = {plain_answer(fields.text(text, field))};
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
        add(name, value, text != nullptr ? "text." + name : name);
        if (text == nullptr) fields.use(name);
    }
    if (rows.empty()) fields.bad("text", no_known_form(fields.object()));
    return rows;
}

// The kind whose rows hold a prompt and its answers; nothing where the row is a prompt alone.
std::optional<RowKind> answered_kind(const Json& object, const std::string& where, const RowFormOptions& options) {
    const RowKind kind = natural_kind(object, where, options);
    if (kind == RowKind::document) return std::nullopt;
    const auto messages = object.find("messages");
    const bool open = kind == RowKind::response && messages != object.end() && messages->is_array() && !messages->empty() &&
                      messages->back().is_object() && messages->back().value("role", Json()) != "assistant" &&
                      !object.contains("response") && !object.contains("completion");
    return open ? std::nullopt : std::optional(kind);
}

// What became of the columns, for the report.
void note(RowNotes& notes, const Json& published, const OwnRow& own, const Fields& fields, const RowFormOptions& options) {
    ++notes.forms[own.form];
    std::set<std::string, std::less<>> used = own.used;
    for (const auto& [name, columns] : options.mapping()) {
        for (const std::string& column : parts_of(columns)) {
            if (!published.contains(column)) continue;
            notes.served.insert("columns " + name);
            used.insert(column);
        }
    }
    if (own.form == std::string_view("pku-safe-rlhf")) notes.served.insert("prefer");
    for (const auto& [name, value] : published.items()) {
        if (!value.is_null() && name != kFormColumn && !used.contains(name) && !fields.used().contains(name))
            ++notes.unused[name];
    }
}

}  // namespace

Json dialogue_of(const std::string& text) {
    const std::optional<Messages> messages = dialogue(text);
    if (!messages) return nullptr;
    Json list = Json::array();
    for (const ChatMessage& message : *messages) list.push_back({{"role", message.role}, {"content", message.content}});
    return list;
}

std::vector<PreferenceRow> parse_row(std::string_view json, RowKind kind, const std::string& where, const std::string& default_id,
                                     const std::string& default_lang) {
    return rows_of_json(parse_json(json, where), kind, where, default_id, default_lang);
}

std::vector<PreferenceRow> rows_of_json(const Json& object, RowKind kind, const std::string& where, const std::string& default_id,
                                        const std::string& default_lang, const RowFormOptions& options, RowNotes* notes) {
    if (!object.is_object()) fail(where + ": a JSON object is expected, not " + object.type_name());
    if (const auto answered = kind == RowKind::prompt ? answered_kind(object, where, options) : std::nullopt; answered) {
        std::vector<PreferenceRow> rows = rows_of_json(object, *answered, where, default_id, default_lang, options, notes);
        for (PreferenceRow& row : rows) keep_prompt(row);
        if (notes != nullptr) notes->kind = name_of(kind);
        return rows;
    }
    const OwnRow own = own_row(object, kind, where, options, notes);
    const Fields fields(own.made.is_null() ? object : own.made, where);
    std::vector<PreferenceRow> rows;
    if (!own.left_out) {
        std::string lang = fields.label({"lang", "language"});
        if (lang.empty()) lang = default_lang;
        if (kind == RowKind::document) {
            rows = documents(fields, lang);
        } else {
            rows.push_back(kind == RowKind::preference ? preference_row(fields)
                           : kind == RowKind::prompt   ? prompt_row(fields)
                                                       : response_row(fields, kind));
            rows.front().lang_name = lang;
        }
        std::string id = kind == RowKind::document ? fields.label({"key", "id"}) : fields.label({"id"});
        if (id.empty()) id = default_id;
        const std::string subset = fields.label({"subset", "source"});
        for (PreferenceRow& row : rows) {
            row.lang = canonical_language(row.lang_name);
            row.id = id;
            row.subset = subset;
        }
    }
    if (notes != nullptr) notes->kind = name_of(kind);
    if (notes != nullptr) note(*notes, object, own, fields, options);
    return rows;
}

void for_each_row(const std::filesystem::path& path, RowKind kind, const std::string& default_lang,
                  const std::function<void(std::int64_t line, PreferenceRow&& row)>& row, const RowFormOptions& options,
                  RowNotes* notes) {
    for_each_rated_row(path, options, [&](std::int64_t line, const RawRow& raw) {
        const std::string number = ":" + std::to_string(line);
        for (PreferenceRow& parsed :
             rows_of_json(raw(), kind, path.string() + number, path.filename().string() + number, default_lang, options, notes)) {
            row(line, std::move(parsed));
        }
    });
}

RowKind detect_row_kind(const std::filesystem::path& path, const RowFormOptions& options) {
    std::optional<RowKind> kind;
    struct Found {};
    try {
        for_each_raw_row(path, [&](std::int64_t number, const RawRow& raw) {
            kind = natural_kind(raw(), path.string() + ":" + std::to_string(number), options);
            throw Found{};  // the rest need not be read
        });
    } catch (const Found&) {
        return *kind;
    }
    fail(path.string() + ": the file has no rows");
}

}  // namespace xlrm
