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
    //! Throws Error where the template refuses the conversation (a role it does not know).
    virtual std::string render(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const = 0;
    std::string name;        //!< "none" | "qwen2.5" | "chatml" | "llama-3.1" …
    std::string sha256;      //!< of the Jinja source it stands for, or of the name for `none`
    bool writes_bos = false; //!< whether the rendered text begins with the BOS token's text (then none is added by the tokenizer)
    bool writes_eos = false; //!< whether an answer ends with the template's own closing token (else EOS is appended to the tokens)
};

//! `name`: a template's name, or "auto": recognised from tokenizer_config.json / chat_template.jinja in `model_dir` by
//! content; a folder without a template gives `none`. `date`: "26 Jul 2024" where the template writes one. Throws
//! Error(usage) for an unknown name and Error for a template that is not recognised, naming both.
std::unique_ptr<ChatTemplate> load_chat_template(const std::string& name, const std::filesystem::path& model_dir,
                                                 const std::string& date = "26 Jul 2024");

//! Jinja sources or names of all natives, for --help.
std::vector<std::string> chat_template_names();

}  // namespace xlrm
