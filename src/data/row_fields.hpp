#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/data/preference_row.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! One row's fields, with errors that name file, line and field.
class Fields {
public:
    Fields(const Json& object, const std::string& where) : object_(object), where_(where) {}

    [[noreturn]] void bad(const std::string& field, const std::string& problem) const {
        fail(where_ + ": field '" + field + "' " + problem);
    }
    //! The first of `names` that is there and not null; its name is stored in `name`.
    const Json* find(std::initializer_list<const char*> names, std::string* name = nullptr) const {
        for (const char* candidate : names) {
            const auto found = object_.find(candidate);
            if (found == object_.end() || found->is_null()) continue;
            used_.emplace(candidate);
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
        std::string result = any_text(value, field);
        if (result.empty()) bad(field, "is empty");
        return result;
    }
    //! Text that may be empty: an answer, the content of a message.
    std::string any_text(const Json& value, const std::string& field) const;
    //! A finite number that single precision holds.
    float number(const Json& value, const std::string& field) const;
    //! A whole number, nothing where it is absent.
    std::optional<std::int64_t> count(const char* name) const;
    //! A name (of an item, a language, a subset): text or a whole number, "" where it is absent.
    std::string label(std::initializer_list<const char*> names, std::string* found = nullptr) const;
    const Json& object() const { return object_; }
    //! The columns that were read; those of object() are named by use().
    const std::set<std::string, std::less<>>& used() const { return used_; }
    void use(const std::string& name) const { used_.insert(name); }

private:
    const Json& object_;
    const std::string& where_;
    mutable std::set<std::string, std::less<>> used_;
};

//! Fields of a prompt, as RewardBench's command line knows them.
inline constexpr std::initializer_list<const char*> kPromptNames = {"prompt", "question", "input"};

using Messages = std::vector<ChatMessage>;

bool same_message(const ChatMessage& a, const ChatMessage& b);

//! A list of messages, not empty: objects with a `role` and a `content`, which is text or a list of parts of type text; beside
//! `tool_calls`, `function_call` or a reasoning it may be null. Further fields are kept, those that are null are not.
Messages messages_of(const Fields& fields, const Json& list, const std::string& field);

//! What a row's own field for the prompt says; without turns where there is none.
struct Prompt {
    Messages turns;
    std::string name;
    bool text = false;  //!< not a list of messages
};
Prompt prompt_of(const Fields& fields);

//! `system`, where the row has one, becomes the first turn.
void add_system(const Fields& fields, Messages& turns);

//! All turns of one answer. `turns` are those of its own field, which `field` names; the last is the answer. They may repeat the
//! prompt, or begin with the assistant's turn, and then follow it. `system` comes first.
Messages conversation_of(const Fields& fields, const Prompt& prompt, Messages turns, const std::string& field);

//! `row.prompt` becomes the turns that all conversations begin with, their last ones apart; what follows them the answers.
void set_conversations(PreferenceRow& row, std::vector<Messages>&& conversations);

//! What a row gives the template beside its messages: `tools` (a list of objects, or that as JSON in a text), `documents` (a list
//! of objects), and the members of `chat_template_kwargs`; null where there is nothing.
Json variables_of(const Fields& fields);

//! null, "", [] or {}: as if the field were not there.
bool is_empty(const Json& value);

}  // namespace xlrm
