#include "xlrm/eval/evaluation_template.hpp"

#include "model_facts.hpp"

namespace xlrm {

std::unique_ptr<ChatTemplate> evaluation_template(const std::filesystem::path& folder, const EvaluateOptions& options,
                                                  const Json& extra) {
    const std::string date =
        options.template_date.empty() ? extra_text(extra, "template_date", kTemplateDate) : options.template_date;
    const std::string trained = extra_text(extra, "template", "auto");
    if (options.chat_template != "auto") return load_chat_template(options.chat_template, folder, date);
    auto by_name = load_chat_template(trained, folder, date);
    const std::string hash = extra_text(extra, "template_sha256", "");
    if (trained == "auto" || by_name->sha256 == hash) return by_name;
    auto own = load_chat_template("auto", folder, date);
    return own->sha256 == hash ? std::move(own) : std::move(by_name);
}

}  // namespace xlrm
