#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/data/prepare.hpp"

namespace xlrm {

//! A prompt as a model reads it.
struct EncodedPrompt {
    std::string id, lang;
    std::int32_t occurrence = 0;       //!< among the prompts of its language and id, in the order of the input
    Json content;                      //!< its text where it is one turn of the user, else a list of {role, content}
    std::vector<std::int32_t> tokens;  //!< rendered with what the template writes before an answer; never empty
};

struct EncodedPrompts {
    std::vector<EncodedPrompt> all;  //!< in the order of the input
    RowNotes notes;
    std::int64_t repeated = 0;  //!< ids of a language that occurred before
};

//! Reads the prompts of rows of any kind (RowKind::prompt) of options.inputs; of the other options langs, split, part,
//! default_lang and forms count. A prompt has the tokens that begin the texts of the same row when a model is trained or
//! evaluated on it with this template. Throws Error like prepare, naming id and language of a prompt that the template refuses or
//! that has no token; Error(usage) for an .h5 input, which does not keep its texts.
EncodedPrompts read_prompts(PrepareOptions options, const Tokenizer& tokenizer, const ChatTemplate& chat_template);

//! A prompt of these turns. Throws Error as read_prompts does.
EncodedPrompt encode_prompt(const std::string& id, const std::string& lang, std::int32_t occurrence,
                            const std::vector<ChatMessage>& turns, const Tokenizer& tokenizer, const ChatTemplate& chat_template);

}  // namespace xlrm
