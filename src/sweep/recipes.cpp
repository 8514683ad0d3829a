#include "xlrm/sweep/recipes.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/sweep/prologue.hpp"
#include "xlrm/sweep/worker.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! Raise it when equal recipes no longer give equal results.
constexpr int kNumerics = 1;

Json shape_of(const ModelShape& shape) {
    return {{"family", shape.family},
            {"hidden", shape.hidden},
            {"layers", shape.layers},
            {"heads", shape.heads},
            {"kv_heads", shape.kv_heads},
            {"intermediate", shape.intermediate},
            {"max_positions", shape.max_positions}};
}

class Writer {
public:
    Writer(const SweepConfig& config, const SweepFolder& folder, const SweepInputs& inputs)
        : config_(config), folder_(folder), inputs_(inputs) {}

    Json tokenizer() const {
        return {{"numerics", kNumerics},
                {"rows_sha256", rows("tokenizer.data", sorted_languages(config_.tokenizer_langs))},
                {"vocab_size", config_.vocab_size},
                {"shape", shape_of(config_.shape)}};
    }

    Json made_base(const Base& base) const {
        const TrainOptions pretrain = pretraining_of(config_, folder_, base.name);
        Json recipe = {{"numerics", kNumerics},
                       {"options", recipe_options(pretrain)},
                       {"rows_sha256", rows("pretrain.data", sorted_languages(pretrain.langs))}};
        const bool own = !config_.tokenizer_data.empty();
        recipe["tokenizer"] =
            own && config_.pretrain.tokenizer.empty() ? recipe_sha256(tokenizer()) : files_of_tokenizer(pretrain);
        if (!pretrain.model.empty())
            recipe["start"] = base_recipe(pretrain.model, folder_.hashes());
        else if (!config_.pretrain.model_config.empty())
            recipe["config_sha256"] = folder_.hashes().sha256(pretrain.model_config);
        add_eval_data(recipe, pretrain);
        return recipe;
    }

    Json base(const Base& base) const { return base.folder.empty() ? made_base(base) : inputs_.bases.at(base.name); }

    Json model(const Task& task, const std::string& base) const {
        const TrainOptions train = training_of(config_, folder_, task);
        Json recipe = {{"numerics", kNumerics},
                       {"options", recipe_options(train)},
                       {"rows_sha256", rows("data.train", sorted_languages(train.langs))},
                       {"base", base}};
        add_eval_data(recipe, train);
        return recipe;
    }

    Json floor(const Task& task, const Plan& plan) const {
        const auto source = std::ranges::find_if(plan.sources, [&](const Source& s) { return s.name == task.source; });
        const std::vector<std::string> langs = sorted_languages(source->langs);
        Json recipe = Json::object();
        for (const std::string& target : plan.targets) {
            recipe[target] = {{"numerics", kNumerics},
                              {"langs", langs},
                              {"train_sha256", rows("data.train", langs)},
                              {"rows_sha256", rows("data.eval." + task.benchmark, {config_.target_language(target)})}};
        }
        return recipe;
    }

    Json cell(const Task& task, const std::string& model) const {
        return {{"numerics", kNumerics},
                {"options", content_of(evaluation_of(config_))},
                {"rows_sha256", rows("data.eval." + task.benchmark, {config_.target_language(task.target)})},
                {"model", model}};
    }

private:
    std::string rows(const std::string& option, const std::vector<std::string>& langs) const {
        return inputs_.rows.at(option).sha256.at(selection_name(langs));
    }

    std::string files_of_tokenizer(const TrainOptions& pretrain) const {
        const fs::path folder = pretrain.tokenizer.empty() ? pretrain.model : pretrain.tokenizer;
        std::string files;
        for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json"}) {
            if (fs::exists(folder / name)) files += std::string(name) + " " + folder_.hashes().sha256(folder / name) + "\n";
        }
        return sha256(files);
    }

    void add_eval_data(Json& recipe, const TrainOptions& train) const {
        for (const std::string& file : train.eval_data) recipe["eval_data_sha256"].push_back(folder_.hashes().sha256(file));
    }

    const SweepConfig& config_;
    const SweepFolder& folder_;
    const SweepInputs& inputs_;
};

}  // namespace

std::string recipe_sha256(const Json& recipe) { return sha256(recipe.dump()); }

Json recipe_options(const TrainOptions& train) {
    Json options = content_of(train);
    for (const char* name : {"model", "model_config", "tokenizer", "data", "eval_data", "ref_model"}) options.erase(name);
    options["langs"] = sorted_languages(train.langs);
    return options;
}

Json world_recipe(const SweepConfig& config) { return {{"world", config.world}, {"seed", config.world_seed}}; }

void add_recipes(Plan& plan, const SweepConfig& config, const SweepFolder& folder, const SweepInputs& inputs) {
    const Writer writer(config, folder, inputs);
    plan.inputs = inputs.to_json(config, folder.hashes());
    plan.recipes = Json::object();
    const auto name = [&](const fs::path& path) { return folder.name(path); };
    if (!config.world.empty()) plan.recipes[name(folder.world())] = world_recipe(config);
    std::map<std::string, std::string> models;  // name → hash of its recipe
    for (const Base& base : plan.bases) {
        models[base.name] = recipe_sha256(writer.base(base));
        if (!base.folder.empty()) continue;
        if (!config.tokenizer_data.empty()) plan.recipes[name(folder.tokenizer())] = writer.tokenizer();
        plan.recipes[name(folder.model(base.name))] = writer.made_base(base);
    }
    for (const Task& task : plan.tasks) {
        Json& recipe = plan.recipes[name(folder.output(task))];
        if (task.kind == TaskKind::floor) recipe = writer.floor(task, plan);
        if (task.kind == TaskKind::train) {
            recipe = writer.model(task, models.at(task.base));
            models[task.model()] = recipe_sha256(recipe);
        }
        if (task.kind == TaskKind::evaluate) recipe = writer.cell(task, models.at(task.model()));
    }
}

}  // namespace xlrm
