#include "chat_template_kinds.hpp"

#include <array>

#include "jinja/template.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

const std::string& content_of(const Json& message, const std::string& name) {
    if (!message.contains("content") || !message.at("content").is_string()) {
        fail("template " + name + " refuses the conversation (a message has no text as content)");
    }
    return message.at("content").get_ref<const std::string&>();
}

class PlainTemplate final : public ChatTemplate {
public:
    PlainTemplate() {
        name = "none";
        sha256 = xlrm::sha256(name);
        about = "a line end between prompt and answer; --template concat puts nothing there, as TRL does with plain texts";
        plain_text = true;
    }
    std::string render(const Json& messages, bool add_generation_prompt, const Json&) const override {
        if (messages.empty()) fail("template none refuses the conversation (it has no message)");
        std::string text;
        for (const Json& message : messages) {
            if (&message != &messages.front()) text += '\n';
            text += content_of(message, name);
        }
        if (add_generation_prompt) text += '\n';
        return text;
    }
    bool reads(const std::string& field) const override { return field == "content"; }
};

class ConcatTemplate final : public ChatTemplate {
public:
    ConcatTemplate() {
        name = "concat";
        sha256 = xlrm::sha256(name);
        about = "nothing between prompt and answer, and EOS after it, as TRL does with plain texts";
        plain_text = true;
    }
    std::string render(const Json& messages, bool, const Json&) const override {
        if (messages.empty()) fail("template concat refuses the conversation (it has no message)");
        if (messages.size() > 2 || messages.front().value("role", "") != "user" ||
            messages.back().value("role", "") != (messages.size() == 2 ? "assistant" : "user")) {
            fail(
                "template concat refuses the conversation (it joins one plain prompt and its answer, and this has a system "
                "message or "
                "further turns, which nothing would set apart); choose a chat template (--template), or none");
        }
        std::string text;
        for (const Json& message : messages) text += content_of(message, name);
        return text;
    }
    bool reads(const std::string& field) const override { return field == "content"; }
};

// Messages as transformers hands them to a template: without fields that are null, and with the reasoning under the names that
// templates read.
Json handed_over(const Json& messages) {
    static constexpr std::array kReasoning = {"reasoning_content", "thinking", "reasoning"};
    Json list = Json::array();
    for (const Json& message : messages) {
        if (!message.is_object()) fail("a message is not an object but " + std::string(message.type_name()));
        const Json* reasoning = nullptr;
        for (const char* field : kReasoning) {
            if (reasoning == nullptr && message.contains(field) && !message.at(field).is_null()) reasoning = &message.at(field);
        }
        Json given = Json::object();
        if (reasoning != nullptr) given["thinking"] = *reasoning;
        for (const auto& [field, value] : message.items()) {
            if (!value.is_null()) given[field] = value;
        }
        if (reasoning != nullptr) given["reasoning_content"] = *reasoning;
        list.push_back(std::move(given));
    }
    return list;
}

class JinjaTemplate final : public ChatTemplate {
public:
    JinjaTemplate(const FolderTemplate& source, const std::optional<FolderTemplate>& tool_use, const Json& tokens,
                  const std::string& today)
        : template_(source.source, source.file.string()), today_(jinja::Date::parse(today)) {
        std::string all = source.source;
        if (tool_use) {
            tool_use_.emplace(tool_use->source, tool_use->file.string());
            all += "\n" + tool_use->source;
        }
        sha256 = xlrm::sha256(all);
        for (const auto& [token, text] : tokens.items()) {
            if (!text.is_null()) variables_[token] = text;
        }
        // A template that can ask for the day does so; one that cannot is told.
        const bool asks = all.find("strftime_now") != std::string::npos;
        const bool told = !asks && all.find("date_string") != std::string::npos;
        if (asks || told) date = today_.format("%d %b %Y");
        if (told) variables_["date_string"] = date;
        writes_eos = true;
        writes_bos = begins_with_bos();
        note_unnamed_tokens(tokens);
    }

    std::string render(const Json& messages, bool add_generation_prompt, const Json& variables) const override {
        Json all = variables_;
        all["tools"] = nullptr;
        all["documents"] = nullptr;
        for (const auto& [key, value] : variables.items()) all[key] = value;
        try {
            if (messages.empty()) fail("it has no message");
            all["messages"] = handed_over(messages);
            all["add_generation_prompt"] = add_generation_prompt;
            const bool tools = tool_use_ && !all["tools"].is_null();
            return (tools ? *tool_use_ : template_).render(all, today_);
        } catch (const Error& error) {
            fail("template " + name + " refuses the conversation (" + error.what() + ")");
        }
    }

    bool reads(const std::string& field) const override {
        const auto named = [&](const std::string& one) {
            return template_.mentions(one) || (tool_use_ && tool_use_->mentions(one));
        };
        const bool reasoning = field == "reasoning_content" || field == "thinking" || field == "reasoning";
        return named(field) || (reasoning && (named("reasoning_content") || named("thinking")));
    }

private:
    bool begins_with_bos() const {
        const std::string bos = variables_.value("bos_token", "");
        const Json question = {{{"role", "user"}, {"content", "x"}}};
        try {
            return !bos.empty() && render(question, true, Json::object()).starts_with(bos);
        } catch (const Error&) {
            return false;  // it refuses even a question: each conversation says why
        }
    }

    // transformers writes nothing for them, so a text may lack its end mark.
    void note_unnamed_tokens(const Json& tokens) {
        std::set<std::string> needed = template_.needed_variables();
        if (tool_use_) needed.merge(tool_use_->needed_variables());
        for (const std::string& token : needed) {
            if (!token.ends_with("_token") || tokens.contains(token)) continue;
            notes.push_back("the template writes " + token +
                            ", which the folder does not name, so nothing stands there (as in transformers); " +
                            "name it in tokenizer_config.json if the text should have it");
        }
    }

    jinja::Template template_;
    std::optional<jinja::Template> tool_use_;
    Json variables_ = Json::object();
    jinja::Date today_;
};

}  // namespace

std::unique_ptr<ChatTemplate> make_plain_template() { return std::make_unique<PlainTemplate>(); }
std::unique_ptr<ChatTemplate> make_concat_template() { return std::make_unique<ConcatTemplate>(); }

std::unique_ptr<ChatTemplate> make_jinja_template(const FolderTemplate& source, const std::optional<FolderTemplate>& tool_use,
                                                  const Json& tokens, const std::string& today) {
    return std::make_unique<JinjaTemplate>(source, tool_use, tokens, today);
}

}  // namespace xlrm
