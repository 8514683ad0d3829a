#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace xlrm {

struct ChatMessage {
    std::string role;     //!< "system" | "user" | "assistant"
    std::string content;
};

//! Conversation → text, as the model's own template does it.
class ChatTemplate {
public:
    virtual ~ChatTemplate() = default;
    //! Throws Error where the template refuses the conversation (no message, a role that it does not know).
    virtual std::string render(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const = 0;
    std::string name;        //!< one of chat_template_names()
    std::string sha256;      //!< of the Jinja source it stands for, or of the name for `none`
    std::string date;        //!< what it writes as today; "" where it writes none
    bool writes_bos = false; //!< whether the rendered text begins with the BOS token's text (then none is added by the tokenizer)
    bool writes_eos = false; //!< whether an answer ends with the template's own closing token (else EOS is appended to the tokens)
};

//! The native templates:
//!     none        contents joined by "\n", whatever the roles; a generation prompt is a "\n" behind them, so an answer follows its
//!                 prompt on a new line. The tokenizer adds BOS once if it adds one at all, and EOS ends the tokens of an
//!                 answer where the tokenizer has one.
//!     qwen2.5     ChatML with Qwen2.5's default system message and its tool results
//!     qwen2       the same with the default system message of Qwen2 and of the Qwen2.5 base models
//!     chatml      ChatML without a system message of its own
//!     llama-3     Llama 3.0: header, trimmed content, <|eot_id|>
//!     llama-3.1   and llama-3.2, llama-3.3, whose text is the same without tools: a system block with `date` always comes first
//!     gemma-2     no system message; user and assistant must alternate
//! Unknown roles are refused, also where the Jinja source would pass over them without a word.
//!
//! `name`: one of these, or "auto": recognised by content from tokenizer_config.json, chat_template.jinja or
//! chat_template.json in `model_dir`; a folder without a template gives `none`. `date`: what Llama-3.x writes as today. Throws
//! Error(usage) for an unknown name, and Error naming file and hash for a template that is not recognised.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const std::filesystem::path& model_dir,
                                                 const std::string& date = "26 Jul 2024");

//! Names of all natives, for --help.
std::vector<std::string> chat_template_names();

}  // namespace xlrm
