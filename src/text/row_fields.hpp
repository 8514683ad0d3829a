#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! One row's fields, with errors that name file, line and field.
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
        std::string result = any_text(value, field);
        if (result.empty()) bad(field, "is empty");
        return result;
    }
    //! Text that may be empty: an answer, the content of a message.
    std::string any_text(const Json& value, const std::string& field) const {
        if (!value.is_string()) bad(field, std::string("is not text but ") + value.type_name());
        return value.get<std::string>();
    }
    //! A whole number, nothing where it is absent.
    std::optional<std::int64_t> count(const char* name) const {
        const Json* value = find({name});
        if (value == nullptr) return std::nullopt;
        if (!value->is_number_integer()) bad(name, std::string("is not a whole number but ") + value->type_name());
        return value->get<std::int64_t>();
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

//! Fields of a prompt, as RewardBench's command line knows them.
inline constexpr std::initializer_list<const char*> kPromptNames = {"prompt", "question", "input"};

using Messages = std::vector<ChatMessage>;

bool same_messages(const Messages& a, const Messages& b);

//! A list of {role, content}, not empty.
Messages messages_of(const Fields& fields, const Json& list, const std::string& field);

//! The prompt from its own field, from the turns inside the answers, or from both where they agree; `system` in front of it.
Messages prompt_of(const Fields& fields, const std::optional<Messages>& context);

}  // namespace xlrm
