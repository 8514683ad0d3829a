#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

struct ChatMessage {
    std::string role;     //!< "system" | "user" | "assistant"
    std::string content;
};

//! Conversation → text, as the model's own template does it.
class ChatTemplate {
public:
    virtual ~ChatTemplate() = default;
    //! Throws Error where the template refuses the conversation (no message, a role that it does not take), in the template's words.
    std::string render(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const;
    //! `messages`: a list of objects with whatever fields the template reads. `variables`: an object of further names (`tools`, …).
    virtual std::string render(const Json& messages, bool add_generation_prompt, const Json& variables) const = 0;
    std::string name;        //!< one of chat_template_names(), or `jinja`: the folder's own, which is none of these
    std::string sha256;      //!< of the Jinja source, or of the name for `none`
    std::string date;        //!< what it writes as today; "" where it writes none
    bool writes_bos = false; //!< whether the rendered text begins with the BOS token's text (then none is added by the tokenizer)
    bool writes_eos = false; //!< whether an answer ends as the template says (else EOS is appended to the tokens)
};

//! `name` is "auto": the folder's own Jinja source, from chat_template.jinja, chat_template.json or tokenizer_config.json (text, or
//! the `default` of a list), rendered as transformers does: the special tokens of tokenizer_config.json and special_tokens_map.json are its
//! variables, `tools` and `documents` are none, strftime_now writes `date`, and where the source cannot ask for the day `date_string` is set.
//! What is outside of the subset of Jinja that chat templates use is refused by name. A folder without a template gives `none`. Where
//! the folder names no BOS, that of the family is taken, recognised by the turn markers in the source.
//! "jinja": the same, but a folder without a template is an error.
//!
//! Else one of the built-in ones, whatever the folder has; they refuse roles that they do not know:
//!     none        contents joined by "\n", whatever the roles; a generation prompt is a "\n" behind them, so an answer follows its
//!                 prompt on a new line. The tokenizer adds BOS once if it adds one at all, and EOS ends the tokens of an
//!                 answer where the tokenizer has one.
//!     qwen2.5     ChatML with Qwen2.5's default system message and its tool results
//!     qwen2       the same with the default system message of Qwen2 and of the Qwen2.5 base models
//!     chatml      ChatML without a system message of its own (Qwen3 without reasoning)
//!     llama-3     Llama 3.0: header, trimmed content, <|eot_id|>
//!     llama-3.1   and llama-3.2, llama-3.3, whose text is the same without tools: a system block with `date` always comes first
//!     gemma-2     no system message; user and assistant must alternate
//!     mistral-v1  and mistral-v3, mistral-nemo: [INST] … [/INST] with their differences in blanks; the system message joins the first
//!                 (v1) or the last (v3, nemo) message of the user; user and assistant must alternate
//!     phi-3.5     <|user|> … <|end|>
//!     deepseek-r1 the distilled models: the system message first, an answer loses its reasoning
//! `date`: "26 Jul 2024" or "2024-07-26". Throws Error(usage) for an unknown name or date, and Error naming file and line for a source
//! that cannot be run.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const std::filesystem::path& model_dir,
                                                 const std::string& date = "26 Jul 2024");

//! Names of all built-in templates, for --help.
std::vector<std::string> chat_template_names();

}  // namespace xlrm
