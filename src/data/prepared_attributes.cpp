#include "prepared_attributes.hpp"

#include "assemble.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

void describe_prepared(const PrepareOptions& options, const std::vector<std::string>& langs, const Tokenizer& tokenizer,
                       const ChatTemplate& chat_template, Prepared& prepared) {
    Json& about = prepared.set.attributes;
    about["kind"] = name_of(options.kind);
    about["tokenizer_sha256"] = tokenizer.sha256;
    about["vocab_size"] = tokenizer.vocab_size();
    about["template"] = chat_template.name;
    about["template_sha256"] = chat_template.sha256;
    about["template_date"] = chat_template.date;
    about["max_length"] = options.max_length;
    about["over_length"] = name_of(options.over_length);
    about["langs"] = langs;
    about["default_lang"] = options.default_lang;
    about["split"] = options.split;
    about["part"] = options.part;
    about["ties"] = options.keep_tied ? "keep" : "drop";
    about["concatenate"] = options.concatenate;
    if (options.concatenate) about["seed"] = options.seed;
    about["forms"] = prepared.notes.forms;
    about["row_options"] = options.forms.content();
    Json& report = about["report"] = Json::object();
    for (const auto& [lang, counts] : prepared.report) {
        std::int64_t tokens = 0;
        for (const std::int32_t length : counts.lengths) tokens += length;
        report[lang] = {{"read", counts.read},
                        {"kept", counts.kept},
                        {"too_long", counts.too_long},
                        {"tied", counts.tied},
                        {"empty", counts.empty},
                        {"repeated", counts.repeated},
                        {"tokens", tokens},
                        {"characters", counts.characters}};
        if (!counts.unread.empty()) report[lang]["unread"] = counts.unread;
    }
}

void check_prepared(const Json& attributes, const std::filesystem::path& path, const Tokenizer& tokenizer,
                    const ChatTemplate& chat_template) {
    const auto differs = [&](const char* name, const std::string& expected) {
        return !attributes.contains(name) || attributes.at(name) != expected;
    };
    if (differs("tokenizer_sha256", tokenizer.sha256))
        fail(path.string() + ": it was prepared with another tokenizer; prepare the data again for this model");
    const auto stored = [&](const char* name) {
        return attributes.contains(name) && attributes.at(name).is_string() ? attributes.at(name).get<std::string>() : "";
    };
    if (differs("template", chat_template.name) || differs("template_sha256", chat_template.sha256)) {
        fail(path.string() + ": it was prepared with another chat template (" + stored("template") + ", now " +
             chat_template.name + "); prepare the data again, or give the same --template");
    }
    if (differs("template_date", chat_template.date)) {
        fail(path.string() + ": it was prepared with the date " + stored("template_date") + ", now " + chat_template.date +
             " (the template writes it, so the texts differ); give --template-date '" + stored("template_date") +
             "', or prepare the data again");
    }
}

}  // namespace xlrm
