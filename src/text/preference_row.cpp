#include "xlrm/text/preference_row.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "utf8.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/language.hpp"

namespace xlrm {
namespace {

// One row's fields, with errors that name file, line and field.
class Fields {
public:
    Fields(const Json& object, const std::string& where) : object_(object), where_(where) {}

    [[noreturn]] void bad(const std::string& field, const std::string& problem) const { fail(where_ + ": field '" + field + "' " + problem); }
    //! The first of `names` that is there and not null; its name is stored in `name`.
    const Json* find(std::initializer_list<const char*> names, std::string* name = nullptr) const {
        for (const char* candidate : names) {
            const auto found = object_.find(candidate);
            if (found == object_.end() || found->is_null()) continue;
            if (name != nullptr) *name = candidate;
            return &*found;
        }
        return nullptr;
    }
    const Json& need(const char* name) const {
        const Json* value = find({name});
        if (value == nullptr) bad(name, "is missing");
        return *value;
    }
    std::string text(const Json& value, const std::string& field) const {
        if (!value.is_string()) bad(field, std::string("is not text but ") + value.type_name());
        std::string result = value.get<std::string>();
        if (result.empty()) bad(field, "is empty");
        return result;
    }
    std::string label(std::initializer_list<const char*> names) const {
        std::string name;
        const Json* value = find(names, &name);
        if (value == nullptr) return "";
        if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
        if (!value->is_string()) bad(name, std::string("is not text but ") + value->type_name());
        return value->get<std::string>();
    }
    const Json& object() const { return object_; }

private:
    const Json& object_;
    const std::string& where_;
};

using Messages = std::vector<ChatMessage>;

bool same_messages(const Messages& a, const Messages& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const ChatMessage& x, const ChatMessage& y) { return x.role == y.role && x.content == y.content; });
}

Messages messages_of(const Fields& fields, const Json& list, const std::string& field) {
    Messages messages;
    for (const Json& entry : list) {
        const std::string here = field + "[" + std::to_string(messages.size()) + "]";
        if (!entry.is_object() || !entry.contains("role") || !entry.contains("content")) fields.bad(here, "is not a message with role and content");
        messages.push_back({fields.text(entry.at("role"), here + ".role"), fields.text(entry.at("content"), here + ".content")});
    }
    if (messages.empty()) fields.bad(field, "is empty");
    return messages;
}

// HH-RLHF's dialogue; nothing where the text is not one.
std::optional<Messages> dialogue(const std::string& text) {
    static const std::string human = "\n\nHuman: ";
    static const std::string assistant = "\n\nAssistant: ";
    if (text.compare(0, human.size(), human) != 0) return std::nullopt;
    Messages messages;
    for (std::size_t at = 0; at < text.size();) {
        const bool user = text.compare(at, human.size(), human) == 0;
        const std::size_t begin = at + (user ? human.size() : assistant.size());
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

Side side_of(const Fields& fields, const char* field, bool has_prompt) {
    const Json& value = fields.need(field);
    Side side;
    std::optional<Messages> messages;
    if (value.is_string()) {
        side.answers = {fields.text(value, field)};
        if (has_prompt) return side;
        messages = dialogue(side.answers.front());
        if (!messages) fields.bad("prompt", "is missing");
    } else if (value.is_array() && !value.empty() && value.front().is_string()) {
        for (std::size_t i = 0; i < value.size(); ++i) side.answers.push_back(fields.text(value[i], std::string(field) + "[" + std::to_string(i) + "]"));
        return side;
    } else if (value.is_array()) {
        messages = messages_of(fields, value, field);
    } else {
        fields.bad(field, std::string("is neither text nor a list but ") + value.type_name());
    }
    if (messages->back().role != "assistant") fields.bad(field, "does not end with a turn of the assistant");
    side.answers = {messages->back().content};
    messages->pop_back();
    if (!messages->empty()) side.context = std::move(messages);
    return side;
}

// The prompt from `prompt`, from the turns inside the answers, or from both where they agree.
Messages prompt_of(const Fields& fields, const std::optional<Messages>& context) {
    const Json* value = fields.find({"prompt"});
    Messages prompt;
    if (value != nullptr && value->is_array()) prompt = messages_of(fields, *value, "prompt");
    else if (value != nullptr) prompt = {{"user", fields.text(*value, "prompt")}};
    if (context) {
        const bool repeated = prompt.empty() || same_messages(prompt, *context) ||
                              (value->is_string() && std::any_of(context->begin(), context->end(), [&](const ChatMessage& message) {
                                   return message.role == "user" && strip(message.content) == strip(prompt.front().content);
                               }));
        if (!repeated) fields.bad("prompt", "differs from the turns before the answer in 'chosen'");
        prompt = *context;
    }
    if (prompt.empty()) fields.bad("prompt", "is missing");
    const Json* system = fields.find({"system"});
    if (system == nullptr || (system->is_string() && system->get<std::string>().empty())) return prompt;
    const std::string text = fields.text(*system, "system");
    if (prompt.front().role != "system") prompt.insert(prompt.begin(), {"system", text});
    else if (prompt.front().content != text) fields.bad("system", "differs from the system message of the prompt");
    return prompt;
}

void read_margin(const Fields& fields, PreferenceRow& row) {
    row.margin = std::numeric_limits<float>::quiet_NaN();
    const Json* margin = fields.find({"margin"});
    if (margin == nullptr) return;
    if (!margin->is_number()) fields.bad("margin", std::string("is not a number but ") + margin->type_name());
    row.margin = margin->get<float>();
}

PreferenceRow preference_row(const Fields& fields) {
    PreferenceRow row;
    const bool has_prompt = fields.find({"prompt"}) != nullptr;
    Side chosen = side_of(fields, "chosen", has_prompt);
    Side rejected = side_of(fields, "rejected", has_prompt);
    if (chosen.context.has_value() != rejected.context.has_value() || (chosen.context && !same_messages(*chosen.context, *rejected.context))) {
        fields.bad("rejected", "has other turns before its answer than 'chosen'");
    }
    row.prompt = prompt_of(fields, chosen.context);
    row.answers = std::move(chosen.answers);
    row.num_correct = static_cast<std::int32_t>(row.answers.size());
    row.answers.insert(row.answers.end(), rejected.answers.begin(), rejected.answers.end());
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

}  // namespace

std::vector<PreferenceRow> parse_row(std::string_view json, RowKind kind, const std::string& where, const std::string& default_id,
                                     const std::string& default_lang) {
    const Json object = parse_json(json, where);
    if (!object.is_object()) fail(where + ": a JSON object is expected, not " + object.type_name());
    const Fields fields(object, where);
    std::string lang = fields.label({"lang", "language"});
    lang = canonical_language(lang.empty() ? default_lang : lang);
    std::vector<PreferenceRow> rows;
    if (kind == RowKind::preference) {
        rows.push_back(preference_row(fields));
        rows.front().lang = lang;
    } else {
        rows = documents(fields, lang);
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
    for_each_line(path, [&](std::int64_t line, std::string_view text) {
        if (strip(text).empty()) return;
        const std::string number = ":" + std::to_string(line);
        for (PreferenceRow& parsed : parse_row(text, kind, path.string() + number, path.filename().string() + number, default_lang)) {
            row(line, std::move(parsed));
        }
    });
}

RowKind detect_row_kind(const std::filesystem::path& path) {
    std::optional<RowKind> kind;
    struct Found {};
    try {
        for_each_line(path, [&](std::int64_t line, std::string_view text) {
            if (strip(text).empty()) return;
            const Json object = parse_json(text, path.string() + ":" + std::to_string(line));
            kind = object.is_object() && object.contains("chosen") ? RowKind::preference : RowKind::document;
            throw Found{};  // the rest need not be read
        });
    } catch (const Found&) {
        return *kind;
    }
    fail(path.string() + ": the file has no rows");
}

}  // namespace xlrm
