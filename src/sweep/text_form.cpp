#include "text_form.hpp"

#include "tasks/tokenizer.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/eval/evaluation_template.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

//! What a training writes into xlrm.json of the template that it had.
Json said_of(const ChatTemplate& chat) {
    Json extra = {{"template", chat.name}, {"template_sha256", chat.sha256}};
    if (!chat.date.empty()) extra["template_date"] = chat.date;
    return extra;
}

//! The tokenizer alone.
std::optional<TextForm> tokenizer_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base) {
    TextForm form;
    form.folder = base.folder;
    if (base.folder.empty()) {
        if (config.pretrain.add_pad_token) return {};
        const SweepFolder folder{config.output};
        const TrainOptions pretrain = pretraining_of(config, folder, base.name);
        form.folder = pretrain.tokenizer.empty() ? pretrain.model : pretrain.tokenizer;
        form.made_here = form.folder == folder.tokenizer();
    }
    form.tokenizer =
        form.made_here ? "recipe " + recipe_sha256(tokenizer_recipe(config, inputs)) : load_tokenizer(form.folder)->sha256;
    return form;
}

TextForm with(TextForm form, const ChatTemplate& chat) {
    form.name = chat.name;
    form.sha256 = chat.sha256;
    form.date = chat.date;
    return form;
}

std::unique_ptr<ChatTemplate> training_template(const TrainOptions& train, const fs::path& folder) {
    return load_chat_template(train.chat_template, folder, train.template_date);
}

}  // namespace

std::optional<TextForm> training_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base) {
    const auto form = tokenizer_form(config, inputs, base);
    if (!form) return {};
    return with(*form, *training_template(config.train, form->folder));
}

std::optional<TextForm> trained_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base) {
    const auto form = tokenizer_form(config, inputs, base);
    if (!form || config.train.add_pad_token) return {};
    const Json extra = said_of(*training_template(config.train, form->folder));
    return with(*form, *evaluation_template(form->folder, evaluation_of(config), extra));
}

std::optional<TextForm> own_form(const SweepConfig& config, const SweepInputs& inputs, const Base& base) {
    const auto form = tokenizer_form(config, inputs, base);
    if (!form) return {};
    Json extra;
    if (base.folder.empty())
        extra = said_of(*training_template(config.pretrain, form->folder));
    else if (fs::exists(base.folder / "xlrm.json"))
        extra = read_json(base.folder / "xlrm.json");
    return with(*form, *evaluation_template(form->folder, evaluation_of(config), extra));
}

}  // namespace xlrm
