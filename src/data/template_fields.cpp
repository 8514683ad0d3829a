#include "template_fields.hpp"
#include "row_fields.hpp"

#include <algorithm>
#include <set>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

constexpr std::initializer_list<const char*> kCalls = {"tool_calls", "function_call"};
constexpr std::initializer_list<const char*> kReasoning = {"reasoning_content", "reasoning", "thinking"};
// Fields that tools, calls and parts have as well, so that a source may name them without reading those of a message.
constexpr std::initializer_list<const char*> kOfTools = {"name",        "id",         "type", "arguments", "function",
                                                         "description", "parameters", "text", "index"};

bool among(std::initializer_list<const char*> names, const std::string& name) {
    return std::ranges::any_of(names, [&](const char* known) { return name == known; });
}

bool names(const ChatTemplate& chat, const std::string& field) {
    // Templates are given a reasoning under each of its names.
    if (among(kReasoning, field)) return std::ranges::any_of(kReasoning, [&](const char* name) { return chat.reads(name); });
    return chat.reads(field);
}

class Conversation {
public:
    Conversation(std::vector<ChatMessage> messages, const Json& variables, const std::string& text, const ChatTemplate& chat)
        : messages_(std::move(messages)), variables_(variables), text_(text), chat_(chat) {}

    void add_unread(std::set<std::string>& unread, const std::string& where) {
        for (std::size_t i = 0; i < messages_.size(); ++i) {
            const Json fields = messages_[i].fields;
            for (const auto& [name, value] : fields.items()) {
                if (name == "role" || is_empty(value) || reads(i, name)) continue;
                if (among(kCalls, name)) {
                    fail(where + ": template " + chat_.name + " does not read '" + name +
                         "' of a message (the call would be missing from the text that is scored); choose a --template that "
                         "does, or remove the row");
                }
                unread.insert("'" + name + "' of a message");
            }
        }
    }

private:
    bool reads(std::size_t message, const std::string& field) {
        const bool beside_calls = field == "content" && std::ranges::any_of(kCalls, [&](const char* name) {
                                      return messages_[message].fields.contains(name);
                                  });
        if (field == "content" && !beside_calls) return true;
        if (!names(chat_, field)) return false;
        return (!beside_calls && !among(kOfTools, field)) || !same_without(message, field);
    }
    bool same_without(std::size_t message, const std::string& field) {
        std::vector<ChatMessage> others = messages_;
        if (field == "content")
            others[message].fields["content"] = "";
        else
            others[message].fields.erase(field);
        try {
            return chat_.render(others, false, variables_) == text_;
        } catch (const Error&) {
            return false;  // it cannot do without
        }
    }

    const std::vector<ChatMessage> messages_;
    const Json& variables_;
    const std::string& text_;
    const ChatTemplate& chat_;
};

}  // namespace

std::vector<std::string> unread_fields(const PreferenceRow& row, const std::vector<std::string>& texts,
                                       const ChatTemplate& chat_template, const std::string& where) {
    std::set<std::string> unread;
    for (std::size_t k = 0; k < row.answers.size(); ++k) {
        const auto plain = [](const ChatMessage& message) { return message.fields.is_null(); };
        if (std::ranges::all_of(row.prompt, plain) && std::ranges::all_of(row.answers[k].turns, plain)) continue;
        Conversation(row.conversation(k), row.variables, texts[k], chat_template).add_unread(unread, where);
    }
    if (row.variables.is_object()) {
        for (const auto& [name, value] : row.variables.items()) {
            if (!is_empty(value) && !chat_template.reads(name)) unread.insert("'" + name + "' of a row");
        }
    }
    return {unread.begin(), unread.end()};
}

}  // namespace xlrm
