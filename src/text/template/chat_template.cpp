#include "xlrm/text/chat_template.hpp"

#include <algorithm>

#include "chat_template_folder.hpp"
#include "chat_template_kinds.hpp"
#include "chat_template_sources.hpp"
#include "jinja/template.hpp"
#include "template_tokens.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

using Folder = std::vector<FolderTemplate>;

std::unique_ptr<ChatTemplate> make_builtin(const BuiltinTemplate& builtin, const std::string& date) {
    auto made = make_jinja_template({"", builtin.source, "template " + builtin.name}, std::nullopt,
                                    Json{{"bos_token", builtin.bos}, {"eos_token", builtin.eos}}, date);
    made->name = builtin.name;
    made->about = "built in";
    return made;
}

// The name of the built-in template that gives the same text, or `jinja`. Jinja drops one line end at the end of a source, so
// files with and without it are the same template.
std::string name_of(const std::string& source) {
    std::string shorter = source;
    if (!shorter.empty() && shorter.back() == '\n') shorter.pop_back();
    for (const std::string& text : {source, shorter, source + "\n"}) {
        const std::string hash = sha256(text);
        for (const BuiltinTemplate& builtin : builtin_templates()) {
            if (std::find(builtin.hashes.begin(), builtin.hashes.end(), hash) != builtin.hashes.end()) return builtin.name;
        }
    }
    return "jinja";
}

std::optional<FolderTemplate> find(const Folder& folder, const std::string& name) {
    const auto found = std::ranges::find(folder, name, &FolderTemplate::name);
    return found == folder.end() ? std::nullopt : std::optional<FolderTemplate>(*found);
}

std::string names_in(const Folder& folder) {
    std::string names;
    for (const FolderTemplate& found : folder) names += (names.empty() ? "" : ", ") + found.name;
    return names;
}

std::unique_ptr<ChatTemplate> make_from_folder(const FolderTemplate& source, const std::optional<FolderTemplate>& tool_use,
                                               const fs::path& model_dir, const std::string& date) {
    auto made = make_jinja_template(source, tool_use, template_tokens(model_dir, source.source), date);
    made->about = source.file.lexically_relative(model_dir).string() + " of the folder";
    if (tool_use) made->about += "; conversations with tools: " + tool_use->file.lexically_relative(model_dir).string();
    return made;
}

// `jinja:NAME`: that one of the folder's, whatever the conversation has.
std::unique_ptr<ChatTemplate> named_of_folder(const std::string& name, const fs::path& model_dir, const std::string& date) {
    Folder folder = folder_templates(model_dir);
    std::ranges::move(processor_template(model_dir), std::back_inserter(folder));
    const auto source = find(folder, name);
    if (!source) {
        fail(model_dir.string() + ": no chat template '" + name + "' (" +
                 (folder.empty() ? "the folder has none" : "it has: " + names_in(folder)) + ")",
             ExitCode::usage);
    }
    auto made = make_from_folder(*source, std::nullopt, model_dir, date);
    made->name = "jinja:" + name;
    return made;
}

// The template that transformers takes without a name, and that for tools; nothing where the folder has none.
std::unique_ptr<ChatTemplate> own_of_folder(const fs::path& model_dir, const std::string& date) {
    const Folder folder = folder_templates(model_dir);
    if (folder.empty()) return nullptr;
    const auto tool_use = find(folder, "tool_use");
    auto source = find(folder, "default");
    if (!source) {
        const std::string problem = "the folder has chat templates, but no default (" + names_in(folder) +
                                    "); choose one, e.g. --template jinja:" + folder.front().name;
        if (!tool_use) fail(model_dir.string() + ": " + problem);
        source = FolderTemplate{"default", "{{ raise_exception(" + Json(problem).dump() + ") }}", tool_use->file};
    }
    auto made = make_from_folder(*source, tool_use, model_dir, date);
    made->name = tool_use ? "jinja" : name_of(source->source);
    return made;
}

std::unique_ptr<ChatTemplate> plain_of_folder(const fs::path& model_dir) {
    auto made = make_plain_template();
    made->about = "the folder has no chat template: " + made->about;
    if (!processor_template(model_dir).empty()) {
        made->notes.push_back(std::string("the folder's ") + kProcessorTemplate +
                              " belongs to a processor, and tokenizers of transformers do not read it; " +
                              "--template jinja:" + kProcessorTemplate + " takes it");
    }
    return made;
}

[[noreturn]] void refuse_name(const std::string& name) {
    const std::vector<std::string> names = chat_template_names();
    const std::string nearest = nearest_name(name, names);
    std::string known;
    for (const std::string& entry : names) known += ", " + entry;
    fail("template '" + name + "' is not known" + (nearest.empty() ? "" : " (did you mean '" + nearest + "'?)") +
             "; known are auto, jinja, jinja:NAME" + known,
         ExitCode::usage);
}

}  // namespace

Json ChatMessage::as_json() const {
    if (!fields.is_null()) return fields;
    return {{"role", role}, {"content", content}};
}

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages, bool add_generation_prompt,
                                 const Json& variables) const {
    Json list = Json::array();
    for (const ChatMessage& message : messages) {
        list.push_back(message.as_json());
        const auto content = list.back().find("content");
        if (content != list.back().end() && content->is_array() && !takes_parts(message.role)) *content = message.content;
    }
    return render(list, add_generation_prompt, variables.is_null() ? Json::object() : variables);
}

bool ChatTemplate::takes_parts(const std::string& role) const {
    const auto with = [&](const Json& content) {
        const Json message = {{"role", role}, {"content", content}};
        const Json question = {{"role", "user"}, {"content", "q"}};
        const Json answer = {{"role", "assistant"}, {"content", "a"}};
        if (role == "user") return Json::array({message});
        if (role == "assistant") return Json::array({question, message});
        return role == "system" ? Json::array({message, question}) : Json::array({question, answer, message});
    };
    try {
        const Json parts = Json::array({Json{{"type", "text"}, {"text", "a text"}}});
        return render(with(parts), false, Json::object()) == render(with("a text"), false, Json::object());
    } catch (const Error&) {
        return false;
    }
}

std::string ChatTemplate::describe() const {
    std::string text = "template: " + name + " (" + about + ")" + (date.empty() ? "" : ", writes the date " + date) + "\n";
    for (const std::string& note : notes) text += "note: " + note + "\n";
    return text;
}

std::string template_help(const std::string& automatic) {
    return "chat template; auto: " + automatic +
           "; none: a line end between prompt and answer; concat: nothing there and EOS at the end, as TRL does " +
           "with plain texts; jinja:NAME: one of several of the folder; or a family: llama-3.1, qwen2.5, chatml, gemma-2 …";
}

std::vector<std::string> chat_template_names() {
    std::vector<std::string> names = {"none", "concat"};
    for (const BuiltinTemplate& builtin : builtin_templates()) names.push_back(builtin.name);
    return names;
}

std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const fs::path& model_dir, const std::string& date) {
    jinja::Date::parse(date);
    if (name == "none") return make_plain_template();
    if (name == "concat") return make_concat_template();
    if (name == "auto" || name == "jinja") {
        auto own = own_of_folder(model_dir, date);
        if (own) return own;
        if (name == "auto") return plain_of_folder(model_dir);
        fail(model_dir.string() +
             ": no chat template (chat_template.jinja, or chat_template in tokenizer_config.json, is expected)");
    }
    const std::string of_folder = "jinja:";
    if (name.starts_with(of_folder)) return named_of_folder(name.substr(of_folder.size()), model_dir, date);
    for (const BuiltinTemplate& builtin : builtin_templates()) {
        if (builtin.name == name) return make_builtin(builtin, date);
    }
    refuse_name(name);
}

}  // namespace xlrm
