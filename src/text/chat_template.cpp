#include "xlrm/text/chat_template.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "utf8.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/options.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

using Messages = std::vector<ChatMessage>;

[[noreturn]] void refuse(const std::string& name, const std::string& reason) { fail("template " + name + " refuses the conversation (" + reason + ")"); }

void check_roles(const std::string& name, const Messages& messages, const std::vector<std::string>& roles) {
    if (messages.empty()) refuse(name, "it has no message");
    for (const ChatMessage& message : messages) {
        if (std::find(roles.begin(), roles.end(), message.role) == roles.end()) refuse(name, "role '" + message.role + "' is not known to it");
    }
}

std::string trimmed(const std::string& text) { return std::string(strip(text)); }

class PlainTemplate final : public ChatTemplate {
public:
    std::string render(const Messages& messages, bool add_generation_prompt) const override {
        if (messages.empty()) refuse(name, "it has no message");
        std::string text;
        for (const ChatMessage& message : messages) {
            if (&message != &messages.front()) text += '\n';
            text += message.content;
        }
        if (add_generation_prompt) text += '\n';
        return text;
    }
};

// ChatML; `default_system` is written where the conversation does not begin with a system message, unless it is empty.
class ChatMlTemplate final : public ChatTemplate {
public:
    ChatMlTemplate(std::string default_system, bool tools) : default_system_(std::move(default_system)), tools_(tools) { writes_eos = true; }

    std::string render(const Messages& messages, bool add_generation_prompt) const override {
        check_roles(name, messages, tools_ ? std::vector<std::string>{"system", "user", "assistant", "tool"}
                                           : std::vector<std::string>{"system", "user", "assistant"});
        std::string text;
        if (messages.front().role != "system" && !default_system_.empty()) text = block("system", default_system_);
        for (std::size_t i = 0; i < messages.size(); ++i) {
            if (messages[i].role == "tool") text += tool_block(messages, i);
            else text += block(messages[i].role, messages[i].content);
        }
        if (add_generation_prompt) text += "<|im_start|>assistant\n";
        return text;
    }

private:
    static std::string block(const std::string& role, const std::string& content) {
        return "<|im_start|>" + role + "\n" + content + "<|im_end|>\n";
    }

    // Results of tools that follow one another share one user block.
    static std::string tool_block(const Messages& messages, std::size_t i) {
        std::string text;
        if (i == 0 || messages[i - 1].role != "tool") text += "<|im_start|>user";
        text += "\n<tool_response>\n" + messages[i].content + "\n</tool_response>";
        if (i + 1 == messages.size() || messages[i + 1].role != "tool") text += "<|im_end|>\n";
        return text;
    }

    std::string default_system_;
    bool tools_;
};

std::string llama_block(const std::string& role, const std::string& content) {
    return "<|start_header_id|>" + role + "<|end_header_id|>\n\n" + content + "<|eot_id|>";
}

class Llama3Template final : public ChatTemplate {
public:
    Llama3Template() { writes_bos = writes_eos = true; }

    std::string render(const Messages& messages, bool add_generation_prompt) const override {
        check_roles(name, messages, {"system", "user", "assistant"});
        std::string text = "<|begin_of_text|>";
        for (const ChatMessage& message : messages) text += llama_block(message.role, trimmed(message.content));
        if (add_generation_prompt) text += "<|start_header_id|>assistant<|end_header_id|>\n\n";
        return text;
    }
};

class Llama31Template final : public ChatTemplate {
public:
    explicit Llama31Template(std::string today) {
        date = std::move(today);
        writes_bos = writes_eos = true;
    }

    std::string render(const Messages& messages, bool add_generation_prompt) const override {
        check_roles(name, messages, {"system", "user", "assistant", "tool", "ipython"});
        const bool own_system = messages.front().role == "system";
        std::string text = "<|begin_of_text|>" +
                           llama_block("system", "Cutting Knowledge Date: December 2023\nToday Date: " + date + "\n\n" +
                                                     (own_system ? trimmed(messages.front().content) : ""));
        for (std::size_t i = own_system ? 1 : 0; i < messages.size(); ++i) {
            const ChatMessage& message = messages[i];
            const bool tool = message.role == "tool" || message.role == "ipython";
            // The Jinja source writes a tool's text as JSON, for text is iterable.
            text += tool ? llama_block("ipython", Json(message.content).dump()) : llama_block(message.role, trimmed(message.content));
        }
        if (add_generation_prompt) text += "<|start_header_id|>assistant<|end_header_id|>\n\n";
        return text;
    }
};

class Gemma2Template final : public ChatTemplate {
public:
    Gemma2Template() { writes_bos = writes_eos = true; }

    std::string render(const Messages& messages, bool add_generation_prompt) const override {
        if (!messages.empty() && messages.front().role == "system") refuse(name, "system role not supported");
        check_roles(name, messages, {"user", "assistant"});
        std::string text = "<bos>";
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const bool user = messages[i].role == "user";
            if (user != (i % 2 == 0)) refuse(name, "conversation roles must alternate user/assistant/user/assistant/...");
            text += std::string("<start_of_turn>") + (user ? "user" : "model") + "\n" + trimmed(messages[i].content) + "<end_of_turn>\n";
        }
        if (add_generation_prompt) text += "<start_of_turn>model\n";
        return text;
    }
};

struct Native {
    std::string name;
    std::vector<std::string> hashes;  // SHA-256 of the Jinja sources it stands for
    std::function<std::unique_ptr<ChatTemplate>(const std::string& date)> make;
};

const std::vector<Native>& natives() {
    static const std::vector<Native> list = {
        {"none", {}, [](const std::string&) { return std::make_unique<PlainTemplate>(); }},
        {"qwen2.5", {"cd8e9439f0570856fd70470bf8889ebd8b5d1107207f67a5efb46e342330527f"},
         [](const std::string&) { return std::make_unique<ChatMlTemplate>("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", true); }},
        {"qwen2", {"f0206845c9ebc3abb4735d44f286eb81ce99238ad2accc710c6fc60e6cb8ccc8", "44d5f08f3f72b837eaad09f13a54c1f9f4eb58d75240334548b7fd52a5437fa5"},
         [](const std::string&) { return std::make_unique<ChatMlTemplate>("You are a helpful assistant.", true); }},
        {"chatml", {"fcf7a096fe99a48fd9ad2b250bf9237e96e8f48bffec1c7ea4d3f225176cd40e"},
         [](const std::string&) { return std::make_unique<ChatMlTemplate>("", false); }},
        {"llama-3", {"ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122"}, [](const std::string&) { return std::make_unique<Llama3Template>(); }},
        {"llama-3.1", {"e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65"}, [](const std::string& date) { return std::make_unique<Llama31Template>(date); }},
        {"llama-3.2", {"5816fce10444e03c2e9ee1ef8a4a1ea61ae7e69e438613f3b17b69d0426223a4"}, [](const std::string& date) { return std::make_unique<Llama31Template>(date); }},
        {"llama-3.3", {}, [](const std::string& date) { return std::make_unique<Llama31Template>(date); }},
        {"gemma-2", {"ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6"}, [](const std::string&) { return std::make_unique<Gemma2Template>(); }},
    };
    return list;
}

std::unique_ptr<ChatTemplate> make(const Native& native, const std::string& hash, const std::string& date) {
    auto made = native.make(date);
    made->name = native.name;
    made->sha256 = !hash.empty() ? hash : native.hashes.empty() ? sha256(native.name) : native.hashes.front();
    return made;
}

// The `chat_template` member of a JSON file: text, or a list of named ones with a default.
std::optional<std::string> template_member(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    const Json file = read_json(path);
    if (!file.is_object() || !file.contains("chat_template") || file.at("chat_template").is_null()) return std::nullopt;
    const Json& value = file.at("chat_template");
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array()) {
        for (const Json& entry : value) {
            if (entry.value("name", "") == "default") return entry.at("template").get<std::string>();
        }
    }
    fail(path.string() + ": chat_template is neither text nor a list with a default");
}

// In the order of transformers: a file of its own wins.
std::optional<std::string> find_source(const std::filesystem::path& model_dir, std::filesystem::path& found_in) {
    found_in = model_dir / "chat_template.jinja";
    if (std::filesystem::exists(found_in)) return read_file(found_in);
    for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
        found_in = model_dir / name;
        if (auto source = template_member(found_in)) return source;
    }
    return std::nullopt;
}

std::unique_ptr<ChatTemplate> recognise(const std::string& source, const std::filesystem::path& file, const std::string& date) {
    // Jinja drops one line end at the end of a source, so files with and without it are the same template.
    std::string shorter = source;
    if (!shorter.empty() && shorter.back() == '\n') shorter.pop_back();
    for (const std::string& text : {source, shorter, source + "\n"}) {
        const std::string hash = sha256(text);
        for (const Native& native : natives()) {
            if (std::find(native.hashes.begin(), native.hashes.end(), hash) != native.hashes.end()) return make(native, hash, date);
        }
    }
    std::string names;
    for (const std::string& name : chat_template_names()) names += (names.empty() ? "" : ", ") + name;
    fail(file.string() + ": this chat template is not known (SHA-256 " + sha256(source) + "); name the one that it equals with --template: " + names);
}

}  // namespace

std::vector<std::string> chat_template_names() {
    std::vector<std::string> names;
    for (const Native& native : natives()) names.push_back(native.name);
    return names;
}

std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const std::filesystem::path& model_dir, const std::string& date) {
    const std::vector<std::string> names = chat_template_names();
    if (name == "auto") {
        std::filesystem::path file;
        const auto source = find_source(model_dir, file);
        return source ? recognise(*source, file, date) : make(natives().front(), "", date);
    }
    for (const Native& native : natives()) {
        if (native.name == name) return make(native, "", date);
    }
    const std::string nearest = nearest_name(name, names);
    std::string known;
    for (const std::string& entry : names) known += ", " + entry;
    fail("template '" + name + "' is not known" + (nearest.empty() ? "" : " (did you mean '" + nearest + "'?)") + "; known are auto" + known, ExitCode::usage);
}

}  // namespace xlrm
