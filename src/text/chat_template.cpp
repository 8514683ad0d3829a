#include "xlrm/text/chat_template.hpp"

#include <algorithm>
#include <optional>

#include "chat_template_sources.hpp"
#include "jinja/template.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

class PlainTemplate final : public ChatTemplate {
public:
    PlainTemplate() {
        name = "none";
        sha256 = xlrm::sha256(name);
    }
    std::string render(const Json& messages, bool add_generation_prompt, const Json&) const override {
        if (messages.empty()) fail("template none refuses the conversation (it has no message)");
        std::string text;
        for (const Json& message : messages) {
            if (!message.contains("content") || !message.at("content").is_string()) fail("template none refuses the conversation (a message has no text as content)");
            if (&message != &messages.front()) text += '\n';
            text += message.at("content").get_ref<const std::string&>();
        }
        if (add_generation_prompt) text += '\n';
        return text;
    }
};

class JinjaTemplate final : public ChatTemplate {
public:
    //! `tokens`: the special tokens by name, as a template sees them.
    JinjaTemplate(const std::string& source, const std::string& where, Json tokens, const std::string& today)
        : template_(source, where), tokens_(std::move(tokens)), today_(jinja::Date::parse(today)) {
        sha256 = xlrm::sha256(source);
        // A template that can ask for the day does so; one that cannot is told.
        const bool asks = source.find("strftime_now") != std::string::npos;
        const bool told = !asks && source.find("date_string") != std::string::npos;
        if (asks || told) date = today_.format("%d %b %Y");
        if (told) tokens_["date_string"] = date;
        writes_eos = true;
        writes_bos = begins_with_bos();
    }

    std::string render(const Json& messages, bool add_generation_prompt, const Json& variables) const override {
        Json all = tokens_;
        all["tools"] = nullptr;
        all["documents"] = nullptr;
        for (const auto& [key, value] : variables.items()) all[key] = value;
        all["messages"] = messages;
        all["add_generation_prompt"] = add_generation_prompt;
        try {
            return template_.render(all, today_);
        } catch (const Error& error) {
            fail("template " + name + " refuses the conversation (" + error.what() + ")");
        }
    }

private:
    bool begins_with_bos() const {
        const std::string bos = tokens_.value("bos_token", "");
        const Json question = {{{"role", "user"}, {"content", "x"}}};
        try {
            return !bos.empty() && render(question, true, Json::object()).starts_with(bos);
        } catch (const Error&) {
            return false;  // it refuses even a question: each conversation says why
        }
    }

    jinja::Template template_;
    Json tokens_;
    jinja::Date today_;
};

std::unique_ptr<ChatTemplate> make(const BuiltinTemplate& builtin, const std::string& date) {
    auto made = std::make_unique<JinjaTemplate>(builtin.source, "template " + builtin.name, Json{{"bos_token", builtin.bos}, {"eos_token", builtin.eos}}, date);
    made->name = builtin.name;
    return made;
}

// The `chat_template` member of a JSON file: text, or a list of named ones with a default.
std::optional<std::string> template_member(const fs::path& path) {
    if (!fs::exists(path)) return std::nullopt;
    const Json file = read_json(path);
    if (!file.is_object() || !file.contains("chat_template") || file.at("chat_template").is_null()) return std::nullopt;
    const Json& value = file.at("chat_template");
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array()) {
        for (const Json& entry : value) {
            if (entry.value("name", "") == "default" && entry.contains("template") && entry.at("template").is_string()) return entry.at("template").get<std::string>();
        }
    }
    fail(path.string() + ": chat_template is neither text nor a list with a default");
}

// In the order of transformers: a file of its own wins.
std::optional<std::string> find_source(const fs::path& model_dir, fs::path& found_in) {
    found_in = model_dir / "chat_template.jinja";
    if (fs::exists(found_in)) return read_file(found_in);
    for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
        found_in = model_dir / name;
        if (auto source = template_member(found_in)) return source;
    }
    return std::nullopt;
}

// The special tokens that the folder names; null ones count as named.
Json special_tokens(const fs::path& model_dir, const std::string& source) {
    Json tokens = Json::object();
    bool knows_bos = false;
    for (const char* file : {"special_tokens_map.json", "tokenizer_config.json"}) {
        if (!fs::exists(model_dir / file)) continue;
        const Json object = read_json(model_dir / file);
        for (const char* name : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
            if (!object.is_object() || !object.contains(name)) continue;
            const Json& value = object.at(name);
            knows_bos = knows_bos || std::string_view(name) == "bos_token";
            if (value.is_string()) tokens[name] = value;
            else if (value.is_object() && value.contains("content")) tokens[name] = value.at("content");
            else tokens.erase(name);
        }
    }
    const FamilyTokens family = tokens_of_family(source);
    if (!knows_bos && !family.bos.empty()) tokens["bos_token"] = std::string(family.bos);
    if (!tokens.contains("eos_token") && !knows_bos && !family.eos.empty()) tokens["eos_token"] = std::string(family.eos);
    return tokens;
}

// The name of the built-in template that gives the same text, or `jinja`. Jinja drops one line end at the end of a source, so files with and
// without it are the same template.
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

}  // namespace

std::string ChatTemplate::render(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const {
    Json list = Json::array();
    for (const ChatMessage& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
    return render(list, add_generation_prompt, Json::object());
}

std::vector<std::string> chat_template_names() {
    std::vector<std::string> names = {"none"};
    for (const BuiltinTemplate& builtin : builtin_templates()) names.push_back(builtin.name);
    return names;
}

std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const fs::path& model_dir, const std::string& date) {
    jinja::Date::parse(date);
    if (name == "auto" || name == "jinja") {
        fs::path file;
        const auto source = find_source(model_dir, file);
        if (!source && name == "jinja") fail(model_dir.string() + ": no chat template (chat_template.jinja, or chat_template in tokenizer_config.json, is expected)");
        if (!source) return std::make_unique<PlainTemplate>();
        auto made = std::make_unique<JinjaTemplate>(*source, file.string(), special_tokens(model_dir, *source), date);
        made->name = name_of(*source);
        return made;
    }
    if (name == "none") return std::make_unique<PlainTemplate>();
    for (const BuiltinTemplate& builtin : builtin_templates()) {
        if (builtin.name == name) return make(builtin, date);
    }
    const std::vector<std::string> names = chat_template_names();
    const std::string nearest = nearest_name(name, names);
    std::string known;
    for (const std::string& entry : names) known += ", " + entry;
    fail("template '" + name + "' is not known" + (nearest.empty() ? "" : " (did you mean '" + nearest + "'?)") + "; known are auto, jinja" + known, ExitCode::usage);
}

}  // namespace xlrm
