#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! One turn.
struct ChatMessage {
    std::string role;     //!< "system" | "user" | "assistant" | "tool" | what else the template takes
    std::string content;  //!< its text; "" where it has none
    Json fields =
        nullptr;  //!< the message as it was read, where that is more than role and text (`tool_calls`, `name`, …); else null

    //! What a template sees.
    Json as_json() const;
};

//! Conversation → text, as the model's own template does it.
class ChatTemplate {
public:
    virtual ~ChatTemplate() = default;
    //! Throws Error where the template refuses the conversation (no message, a role that it does not take), in the template's
    //! words. `variables` as below; null = none. A content that is a list of parts is given as it is where the template writes
    //! lists as it writes text, else the texts of its parts as one.
    std::string render(const std::vector<ChatMessage>& messages, bool add_generation_prompt,
                       const Json& variables = nullptr) const;
    //! `messages`: a list of objects with whatever fields the template reads. `variables`: an object of further names (`tools`,
    //! …).
    virtual std::string render(const Json& messages, bool add_generation_prompt, const Json& variables) const = 0;
    //! Whether the source names a field (of a message, of a tool) or a variable. What it does not name can reach the text only
    //! where the source writes whole objects (`message | tojson`), which shows in the rendered text. `none` reads `content`
    //! alone.
    virtual bool reads(const std::string& field) const = 0;
    //! Whether a content of [{"type": "text", "text": …}] is rendered as that text, for messages of `role`.
    bool takes_parts(const std::string& role) const;
    //! For reports, a line each: which template it is and where it comes from, and what a user should know of it.
    std::string describe() const;

    std::string name;    //!< one of chat_template_names(), `jinja` (the folder's own, which is none of these) or `jinja:NAME`
    std::string sha256;  //!< of the Jinja source (sources, where there is one for tools), or of the name for `none` and `concat`
    std::string date;    //!< what it writes as today; "" where it writes none
    std::string about;   //!< where it comes from, or what it does
    std::vector<std::string> notes;
    bool plain_text = false;  //!< the tokenizer adds its special tokens as to any text: `none`, `concat`
    bool writes_bos =
        false;  //!< whether the rendered text begins with the BOS token's text (then none is added by the tokenizer)
    bool writes_eos = false;  //!< whether an answer ends as the template says (else EOS is appended to the tokens)
};

//! What a template writes as today unless it is told another day.
inline constexpr const char* kTemplateDate = "26 Jul 2024";

//! `name` is "auto": the folder's own Jinja source, the one that AutoTokenizer of transformers 5.23 takes
//! (chat_template_folder.hpp): chat_template.jinja and additional_chat_templates/NAME.jinja, else `chat_template` of
//! tokenizer_config.json. Of several the `default`; a conversation with `tools` that are not null gets `tool_use` where there is
//! one. chat_template.json is a processor's, and is not read. It is rendered as transformers does: the special tokens that the
//! folder names are its variables (template_tokens.hpp), `tools` and `documents` are none, fields of a message that are null are
//! not there, the reasoning of a message has the names that templates read, strftime_now writes `date`, and where the source
//! cannot ask for the day `date_string` is set. What is outside of the subset of Jinja that chat templates use is refused by
//! name. A folder without a template gives `none`, and about says so. "jinja": the same, but a folder without a template is an
//! error. "jinja:NAME": the folder's template of that name, with or without tools; `jinja:chat_template.json` is the processor's.
//!
//! Else one of the built-in ones, whatever the folder has; they refuse roles that they do not know:
//!     none        contents joined by "\n", whatever the roles; a generation prompt is a "\n" behind them, so an answer follows
//!     its
//!                 prompt on a new line. The tokenizer adds BOS once if it adds one at all, and EOS ends the tokens of an
//!                 answer where the tokenizer has one.
//!     concat      TRL 1.16's rule for plain texts (preference, prompt and completion, text): nothing between prompt and answer,
//!     EOS as
//!                 text at the end unless the text ends with it, and the special tokens that the tokenizer adds to any
//!                 text. One prompt and one answer; a system message or further turns are refused.
//!     qwen2.5     ChatML with Qwen2.5's default system message and its tool results
//!     qwen2       the same with the default system message of Qwen2 and of the Qwen2.5 base models
//!     chatml      ChatML without a system message of its own (Qwen3 without reasoning)
//!     llama-3     Llama 3.0: header, trimmed content, <|eot_id|>
//!     llama-3.1   and llama-3.2, llama-3.3, whose text is the same without tools: a system block with `date` always comes first
//!     gemma-2     no system message; user and assistant must alternate
//!     mistral-v1  and mistral-v3, mistral-nemo: [INST] … [/INST] with their differences in blanks; the system message joins the
//!     first
//!                 (v1) or the last (v3, nemo) message of the user; user and assistant must alternate
//!     phi-3.5     <|user|> … <|end|>
//!     deepseek-r1 the distilled models: the system message first, an answer loses its reasoning
//! `date`: "26 Jul 2024" or "2024-07-26". Throws Error(usage) for an unknown name or date, and Error naming file and line for a
//! source that cannot be run.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const std::filesystem::path& model_dir,
                                                 const std::string& date = kTemplateDate);

//! What --help says of --template, in every program. `automatic`: what "auto" is there.
std::string template_help(const std::string& automatic = "the folder's own, else none");
//! … and of --template-date.
inline constexpr const char* kTemplateDateHelp =
    "day that a template writes as today (Llama-3.x does); change it to compare with runs that had another";

//! Names of all built-in templates.
std::vector<std::string> chat_template_names();

}  // namespace xlrm
