#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {

//! JSON lines in (.gz too), JSON lines out, in order, one for each line that is not blank. An output line is the input's object,
//! its fields kept in their order, with the result's field set. `emit` gets each line without its end.
using EmitLine = std::function<void(const std::string& line)>;

//! `{"text": …}` → `"ids"`; with `decode` `{"ids": […]}` → `"text"`. `special`: what the tokenizer's post-processor adds; it has
//! no part in decoding. Bytes of the input that are not UTF-8 count as U+FFFD. Throws Error naming file, line and field.
void inspect_tokenize(const Tokenizer& tokenizer, const std::filesystem::path& input, bool decode, bool special,
                      const EmitLine& emit);

//! `{"messages": […], "add_generation_prompt": …}` → `"text"`; where the template refuses the conversation, `"error"` instead.
//! `tools`, `documents` and the members of `chat_template_kwargs` are the template's variables too. Throws Error naming file,
//! line and field.
void inspect_render(const ChatTemplate& chat_template, const std::filesystem::path& input, const EmitLine& emit);

}  // namespace xlrm
