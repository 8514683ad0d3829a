#include "row_fields.hpp"

#include <algorithm>

#include "utf8.hpp"

namespace xlrm {

bool same_messages(const Messages& a, const Messages& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const ChatMessage& x, const ChatMessage& y) { return x.role == y.role && x.content == y.content; });
}

Messages messages_of(const Fields& fields, const Json& list, const std::string& field) {
    Messages messages;
    for (const Json& entry : list) {
        const std::string here = field + "[" + std::to_string(messages.size()) + "]";
        if (!entry.is_object() || !entry.contains("role") || !entry.contains("content")) fields.bad(here, "is not a message with role and content");
        messages.push_back({fields.text(entry.at("role"), here + ".role"), fields.any_text(entry.at("content"), here + ".content")});
    }
    if (messages.empty()) fields.bad(field, "is empty");
    return messages;
}

Messages prompt_of(const Fields& fields, const std::optional<Messages>& context) {
    std::string name;
    const Json* value = fields.find(kPromptNames, &name);
    Messages prompt;
    if (value != nullptr && value->is_array()) prompt = messages_of(fields, *value, name);
    else if (value != nullptr) prompt = {{"user", fields.text(*value, name)}};
    if (context) {
        const bool repeated = prompt.empty() || same_messages(prompt, *context) ||
                              (value->is_string() && std::any_of(context->begin(), context->end(), [&](const ChatMessage& message) {
                                   return message.role == "user" && strip(message.content) == strip(prompt.front().content);
                               }));
        if (!repeated) fields.bad(name, "differs from the turns before the answer in 'chosen'");
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

}  // namespace xlrm
