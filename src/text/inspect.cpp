#include "xlrm/text/inspect.hpp"

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/utf8.hpp"

namespace xlrm {
namespace {

void for_each_object(const std::filesystem::path& input, const std::function<void(const std::string& where, Json& object)>& use,
                     const EmitLine& emit) {
    for_each_line(input, [&](std::int64_t line, std::string_view text) {
        if (strip(text).empty()) return;
        const std::string where = input.string() + ":" + std::to_string(line);
        Json object = parse_json(is_valid_utf8(text) ? std::string(text) : replace_invalid_utf8(text), where, kRowDepth);
        if (!object.is_object()) fail(where + ": a JSON object is expected, not " + object.type_name());
        use(where, object);
        emit(object.dump());
    });
}

const Json& field(const Json& object, const char* name, const std::string& where) {
    const auto found = object.find(name);
    if (found == object.end()) fail(where + ": field '" + name + "' is missing");
    return *found;
}

std::string text_of(const Json& object, const char* name, const std::string& where) {
    const Json& value = field(object, name, where);
    if (!value.is_string()) fail(where + ": field '" + name + "' is not text but " + value.type_name());
    return value.get<std::string>();
}

std::vector<std::int32_t> ids_of(const Json& object, const std::string& where) {
    const Json& list = field(object, "ids", where);
    if (!list.is_array()) fail(where + ": field 'ids' is not a list but " + list.type_name());
    std::vector<std::int32_t> ids;
    for (const Json& id : list) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() > INT32_MAX) {
            fail(where + ": field 'ids' holds " + id.dump() + ", which is no token id");
        }
        ids.push_back(id.get<std::int32_t>());
    }
    return ids;
}

const Json& messages_of(const Json& object, const std::string& where) {
    const Json& list = field(object, "messages", where);
    if (!list.is_array()) fail(where + ": field 'messages' is not a list but " + list.type_name());
    std::size_t count = 0;
    for (const Json& message : list) {
        const std::string here = where + ": messages[" + std::to_string(count++) + "]";
        if (!message.is_object()) fail(here + " is not an object");
        text_of(message, "role", here);
        if (!message.contains("tool_calls")) field(message, "content", here);
    }
    return list;
}

// What else a template may read: `tools`, `documents`, and the members of `chat_template_kwargs`.
Json variables_of(const Json& object, const std::string& where) {
    Json variables = Json::object();
    for (const char* name : {"tools", "documents"}) {
        if (object.contains(name)) variables[name] = object.at(name);
    }
    if (!object.contains("chat_template_kwargs") || object.at("chat_template_kwargs").is_null()) return variables;
    const Json& more = object.at("chat_template_kwargs");
    if (!more.is_object()) fail(where + ": field 'chat_template_kwargs' is not an object but " + more.type_name());
    for (const auto& [name, value] : more.items()) variables[name] = value;
    return variables;
}

}  // namespace

void inspect_tokenize(const Tokenizer& tokenizer, const std::filesystem::path& input, bool decode, bool special,
                      const EmitLine& emit) {
    for_each_object(
        input,
        [&](const std::string& where, Json& object) {
            if (!decode) {
                object["ids"] = tokenizer.encode(text_of(object, "text", where), special);
                return;
            }
            try {
                object["text"] = tokenizer.decode(ids_of(object, where));
            } catch (const Error& error) {
                fail(where + ": field 'ids': " + error.what(), error.code());
            }
        },
        emit);
}

void inspect_render(const ChatTemplate& chat_template, const std::filesystem::path& input, const EmitLine& emit) {
    for_each_object(
        input,
        [&](const std::string& where, Json& object) {
            const Json messages = messages_of(object, where);
            const Json variables = variables_of(object, where);
            bool prompt = false;
            if (const auto found = object.find("add_generation_prompt"); found != object.end()) {
                if (!found->is_boolean()) fail(where + ": field 'add_generation_prompt' is neither true nor false");
                prompt = found->get<bool>();
            }
            try {
                object["text"] = chat_template.render(messages, prompt, variables);
            } catch (const Error& error) {
                object["error"] = error.what();
            }
        },
        emit);
}

}  // namespace xlrm
