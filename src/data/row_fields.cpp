#include "row_fields.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

constexpr std::size_t kLongestLabel = 4096;

// What is written into files as a name: HDF5 ends a string at a NUL, and a line end would part a table.
void check_label(const Fields& fields, const std::string& text, const std::string& field) {
    const auto control = std::ranges::find_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (control != text.end()) {
        char code[8];
        std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(static_cast<unsigned char>(*control)));
        fields.bad(field, std::string("holds the control character ") + code + ", which a name cannot have");
    }
    if (text.size() > kLongestLabel) {
        fields.bad(field, "has " + std::to_string(text.size()) + " bytes, and a name at most " + std::to_string(kLongestLabel));
    }
}

// "not text but number", and what is meant by it in a file of Parquet.
std::string kind_of(const Json& value) { return value.is_binary() ? "bytes" : value.type_name(); }

}  // namespace

bool is_empty(const Json& value) {
    return value.is_null() ||
           (value.is_string() ? value.get_ref<const std::string&>().empty() : value.is_structured() && value.empty());
}

std::string Fields::any_text(const Json& value, const std::string& field) const {
    if (value.is_binary()) bad(field, "is no text: its bytes are no valid UTF-8");
    if (!value.is_string()) bad(field, "is not text but " + kind_of(value));
    return value.get<std::string>();
}

float Fields::number(const Json& value, const std::string& field) const {
    if (!value.is_number()) bad(field, "is not a number but " + kind_of(value));
    const auto exact = value.get<double>();
    const auto single = static_cast<float>(exact);
    if (!std::isfinite(exact) || !std::isfinite(single))
        bad(field, "is out of range: " + value.dump() + " (single precision ends at 3.4e38)");
    return single;
}

std::optional<std::int64_t> Fields::count(const char* name) const {
    const Json* value = find({name});
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer())
        bad(name, "is not a whole number but " + (value->is_number() ? value->dump() : kind_of(*value)));
    if (value->is_number_unsigned() && value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
        bad(name, "is out of range: " + value->dump());
    return value->get<std::int64_t>();
}

std::string Fields::label(std::initializer_list<const char*> names, std::string* found) const {
    std::string name;
    const Json* value = find(names, &name);
    if (value == nullptr) return "";
    if (found != nullptr) *found = name;
    if (value->is_number_integer()) return value->dump();
    if (value->is_number())
        bad(name, "is " + value->dump() + ", which is neither text nor a whole number of 64 bits; write it as text");
    const std::string text = any_text(*value, name);
    check_label(*this, text, name);
    return text;
}

namespace {

bool has(const Json& message, const char* name) { return message.contains(name) && !is_empty(message.at(name)); }

// [{"type": "text", "text": …}, …] as one text.
std::string text_of_parts(const Fields& fields, const Json& parts, const std::string& field) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string here = field + "[" + std::to_string(i) + "]";
        if (!parts[i].is_object()) fields.bad(here, "is not a part of a content, an object with 'type' and 'text'");
        const std::string type = parts[i].value("type", "text");
        if (type != "text") fields.bad(here, "is a part of type '" + type + "' (only text can be scored); remove the row");
        if (!parts[i].contains("text")) fields.bad(here + ".text", "is missing");
        text += fields.any_text(parts[i].at("text"), here + ".text");
    }
    return text;
}

Json without_nulls(const Json& object) {
    Json out = Json::object();
    for (const auto& [name, value] : object.items()) {
        if (!value.is_null()) out[name] = value;
    }
    return out;
}

ChatMessage message_of(const Fields& fields, const Json& entry, const std::string& here) {
    if (!entry.is_object() || !entry.contains("role")) fields.bad(here, "is not a message with role and content");
    ChatMessage message{.role = fields.text(entry.at("role"), here + ".role"), .content = {}};
    Json known = without_nulls(entry);
    // What stands in place of a text in the form of OpenAI's interface.
    const bool speaks = std::ranges::any_of(
        std::initializer_list<const char*>{"tool_calls", "function_call", "reasoning_content", "reasoning", "thinking"},
        [&](const char* name) { return has(known, name); });
    if (!known.contains("content")) {
        if (!speaks) fields.bad(here, "is not a message with role and content");
    } else if (known.at("content").is_array()) {
        for (Json& part : known["content"]) {
            if (part.is_object()) part = without_nulls(part);
        }
        message.content = text_of_parts(fields, known.at("content"), here + ".content");
    } else {
        message.content = fields.any_text(known.at("content"), here + ".content");
    }
    const bool plain = known.size() == 2 && known.contains("content") && known.at("content").is_string();
    if (!plain) message.fields = std::move(known);
    return message;
}

bool begins_with(const Messages& turns, const Messages& prompt) {
    return turns.size() > prompt.size() && std::equal(prompt.begin(), prompt.end(), turns.begin(), same_message);
}

void read_tools(const Fields& fields, Json& variables) {
    const Json* tools = fields.find({"tools"});
    if (tools == nullptr) return;
    Json list = *tools;
    if (list.is_string()) {
        list = Json::parse(tools->get_ref<const std::string&>(), nullptr, false);
        if (list.is_discarded()) fields.bad("tools", "is text that is not JSON; write a list of tools");
    }
    if (list.is_null()) return;
    if (!list.is_array() || !std::ranges::all_of(list, [](const Json& tool) { return tool.is_object(); })) {
        fields.bad("tools", "is not a list of objects, one for each tool (a template could not write it)");
    }
    variables["tools"] = std::move(list);
}

}  // namespace

void add_system(const Fields& fields, Messages& turns) {
    const Json* system = fields.find({"system"});
    if (system == nullptr || (system->is_string() && system->get<std::string>().empty())) return;
    const std::string text = fields.text(*system, "system");
    if (turns.front().role != "system")
        turns.insert(turns.begin(), {"system", text});
    else if (turns.front().content != text)
        fields.bad("system", "differs from the system message of the prompt");
}

bool same_message(const ChatMessage& a, const ChatMessage& b) {
    return a.role == b.role && a.content == b.content && a.fields == b.fields;
}

Messages messages_of(const Fields& fields, const Json& list, const std::string& field) {
    Messages messages;
    for (const Json& entry : list)
        messages.push_back(message_of(fields, entry, field + "[" + std::to_string(messages.size()) + "]"));
    if (messages.empty()) fields.bad(field, "is empty");
    return messages;
}

namespace {

// Two prompts would be one too many: which of them is meant, or how they go together, no one can tell.
void require_one_prompt(const Fields& fields, const Json& prompt, const std::string& name) {
    for (const char* other : {"prompt", "question", "input", "instruction"}) {
        const auto found = fields.object().find(other);
        if (other == name || found == fields.object().end() || !(found->is_string() || found->is_array()) || *found == prompt)
            continue;
        if (*found == "" || found->empty()) continue;
        fields.bad(other,
                   "is there beside '" + name +
                       "', and no known form says how they go together; name the one that is meant: --columns prompt=" + name);
    }
}

}  // namespace

Prompt prompt_of(const Fields& fields) {
    Prompt prompt;
    const Json* value = fields.find(kPromptNames, &prompt.name);
    if (value == nullptr) return prompt;
    require_one_prompt(fields, *value, prompt.name);
    prompt.text = !value->is_array();
    if (prompt.text)
        prompt.turns = {{"user", fields.text(*value, prompt.name)}};
    else
        prompt.turns = messages_of(fields, *value, prompt.name);
    return prompt;
}

Messages conversation_of(const Fields& fields, const Prompt& prompt, Messages turns, const std::string& field) {
    const auto asks = [&](const ChatMessage& turn) {
        return turn.role == "user" && strip(turn.content) == strip(prompt.turns.front().content);
    };
    const bool repeated = !prompt.turns.empty() && (begins_with(turns, prompt.turns) ||
                                                    (prompt.text && std::any_of(turns.begin(), turns.end() - 1, asks)));
    if (!prompt.turns.empty() && !repeated) {
        if (turns.front().role != "assistant")
            fields.bad(prompt.name, "differs from the turns before the answer in '" + field + "'");
        turns.insert(turns.begin(), prompt.turns.begin(), prompt.turns.end());
    }
    if (turns.size() == 1) fields.bad("prompt", "is missing");
    add_system(fields, turns);
    return turns;
}

void set_conversations(PreferenceRow& row, std::vector<Messages>&& conversations) {
    const Messages& first = conversations.front();
    std::size_t common = first.size() - 1;
    for (const Messages& turns : conversations) {
        const auto end = first.begin() + static_cast<std::ptrdiff_t>(std::min(common, turns.size() - 1));
        common = static_cast<std::size_t>(std::mismatch(first.begin(), end, turns.begin(), same_message).first - first.begin());
    }
    const auto parting = static_cast<std::ptrdiff_t>(common);
    row.prompt.assign(first.begin(), first.begin() + parting);
    for (const Messages& turns : conversations) row.answers.push_back({{turns.begin() + parting, turns.end()}});
}

Json variables_of(const Fields& fields) {
    Json variables = Json::object();
    read_tools(fields, variables);
    const auto documents = fields.object().find("documents");
    const bool listed = documents != fields.object().end() && documents->is_array() && !documents->empty();
    if (listed && std::ranges::all_of(*documents, [](const Json& document) { return document.is_object(); })) {
        variables["documents"] = *fields.find({"documents"});
    }
    if (const Json* more = fields.find({"chat_template_kwargs"})) {
        if (!more->is_object()) fields.bad("chat_template_kwargs", std::string("is not an object but ") + more->type_name());
        for (const auto& [name, value] : more->items()) {
            for (const char* taken :
                 {"messages", "conversation", "add_generation_prompt", "continue_final_message", "chat_template", "tokenize"}) {
                if (name == taken) fields.bad("chat_template_kwargs." + name, "cannot be given with a row; remove it");
            }
            variables[name] = value;
        }
    }
    return variables.empty() ? Json() : variables;
}

}  // namespace xlrm
