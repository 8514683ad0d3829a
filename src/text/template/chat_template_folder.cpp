#include "chat_template_folder.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

const std::string kDefault = "default";

void put(std::vector<FolderTemplate>& list, FolderTemplate found) {
    const auto same = std::ranges::find(list, found.name, &FolderTemplate::name);
    if (same == list.end())
        list.push_back(std::move(found));
    else
        *same = std::move(found);
}

std::string template_text(const Json& object, const char* field, const std::string& where) {
    const auto found = object.find(field);
    if (found == object.end() || !found->is_string())
        fail(where + ": '" + field + "' must be a text (a template is {\"name\": …, \"template\": …})");
    return found->get<std::string>();
}

// The `chat_template` of a file: a text, a list of {name, template}, or an object of texts by name.
std::vector<FolderTemplate> template_member(const fs::path& file) {
    if (!fs::exists(file)) return {};
    const Json object = read_json(file);
    if (!object.is_object()) fail(file.string() + ": an object is expected, not " + object.type_name());
    const auto value = object.find("chat_template");
    if (value == object.end() || value->is_null()) return {};
    if (value->is_string()) return {{kDefault, value->get<std::string>(), file}};
    std::vector<FolderTemplate> list;
    const std::string where = file.string() + ": chat_template";
    if (value->is_object()) {
        for (const auto& [name, source] : value->items())
            list.push_back({name, template_text(*value, name.c_str(), where), file});
        return list;
    }
    if (!value->is_array()) fail(where + " is neither a text nor a list of named templates but " + value->type_name());
    for (std::size_t i = 0; i < value->size(); ++i) {
        const std::string here = where + "[" + std::to_string(i) + "]";
        const Json& entry = value->at(i);
        if (!entry.is_object()) fail(here + " is not an object {\"name\": …, \"template\": …} but " + entry.type_name());
        put(list, {template_text(entry, "name", here), template_text(entry, "template", here), file});
    }
    return list;
}

}  // namespace

std::vector<FolderTemplate> folder_templates(const fs::path& model_dir) {
    std::vector<FolderTemplate> list;
    const fs::path own = model_dir / "chat_template.jinja";
    if (fs::exists(own)) list.push_back({kDefault, read_file(own), own});
    const fs::path more = model_dir / "additional_chat_templates";
    std::error_code error;
    if (fs::is_directory(more, error)) {
        std::vector<fs::path> files;
        for (fs::directory_iterator at(more, error), end; !error && at != end; at.increment(error)) {
            if (at->path().extension() == ".jinja") files.push_back(at->path());
        }
        if (error) fail(more.string() + ": the folder cannot be read (" + error.message() + ")", ExitCode::io);
        std::ranges::sort(files);
        for (const fs::path& file : files) put(list, {file.stem().string(), read_file(file), file});
    }
    return list.empty() ? template_member(model_dir / "tokenizer_config.json") : list;
}

std::vector<FolderTemplate> processor_template(const fs::path& model_dir) {
    std::vector<FolderTemplate> list = template_member(model_dir / kProcessorTemplate);
    std::erase_if(list, [&](const FolderTemplate& found) { return found.name != kDefault; });
    for (FolderTemplate& found : list) found.name = kProcessorTemplate;
    return list;
}

}  // namespace xlrm
