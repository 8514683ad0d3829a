#pragma once

#include <memory>
#include <optional>
#include <string>

#include "chat_template_folder.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

//! Contents joined by "\n", whatever the roles.
std::unique_ptr<ChatTemplate> make_plain_template();

//! A plain prompt and a plain answer with nothing between them.
std::unique_ptr<ChatTemplate> make_concat_template();

//! A Jinja source. `tool_use`: the source that conversations with tools get instead, where there is one. `tokens`: as
//! template_tokens() gives them. `today`: what the source may write as the date. Throws Error naming the file and line of what
//! cannot be run.
std::unique_ptr<ChatTemplate> make_jinja_template(const FolderTemplate& source, const std::optional<FolderTemplate>& tool_use,
                                                  const Json& tokens, const std::string& today);

}  // namespace xlrm
