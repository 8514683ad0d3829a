#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace xlrm {

//! A chat template of a folder.
struct FolderTemplate {
    std::string name;  //!< "default", "tool_use", "rag" …
    std::string source;
    std::filesystem::path file;  //!< where it stands
};

//! A processor's template, which no tokenizer of transformers reads.
inline constexpr const char* kProcessorTemplate = "chat_template.json";

//! The templates that AutoTokenizer of transformers 5.23 finds in a folder, by name: chat_template.jinja is the default, each
//! additional_chat_templates/NAME.jinja is NAME (a `default` there goes first); only where there is none of these files,
//! `chat_template` of tokenizer_config.json counts: a text is the default, a list of {name, template} or an object gives several.
//! Throws Error naming file and field for what is none of these.
std::vector<FolderTemplate> folder_templates(const std::filesystem::path& model_dir);

//! `chat_template` of chat_template.json, under that name; nothing where the folder has none.
std::vector<FolderTemplate> processor_template(const std::filesystem::path& model_dir);

}  // namespace xlrm
