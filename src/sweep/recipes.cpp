#include "xlrm/sweep/recipes.hpp"

#include <algorithm>

#include "xlrm/core/sha256.hpp"

namespace xlrm {

std::string RecipeBook::rows(const std::string& option, const std::vector<std::string>& langs) const {
    return inputs.rows.at(option).sha256.at(selection_name(langs));
}

std::string RecipeBook::needed(const std::string& output) const { return recipe_sha256(plan.recipes.at(output)); }

std::string RecipeBook::model(const std::string& name) const {
    const auto given = inputs.bases.find(name);
    return given != inputs.bases.end() ? recipe_sha256(given->second) : needed("models/" + name);
}

void RecipeBook::add_eval_data(Json& recipe, const TrainOptions& train) const {
    for (const std::string& file : train.eval_data) recipe["eval_data_sha256"].push_back(folder.hashes().sha256(file));
}

std::string recipe_sha256(const Json& recipe) { return sha256(recipe.dump()); }

Json recipe_options(const TrainOptions& train) {
    Json options = content_of(train);
    for (const char* name : {"model", "model_config", "tokenizer", "data", "eval_data", "ref_model"}) options.erase(name);
    options["langs"] = sorted_languages(train.langs);
    return options;
}

Json world_recipe(const SweepConfig& config) { return {{"world", config.world}, {"seed", config.world_seed}}; }

void add_recipes(Plan& plan, const SweepConfig& config, const SweepFolder& folder, const SweepInputs& inputs) {
    plan.inputs = inputs.to_json(config, folder.hashes());
    plan.recipes = Json::object();
    const RecipeBook book{config, folder, inputs, plan};
    for (const TaskPointer& task : plan.tasks) {
        Json recipe = task->recipe(book);
        plan.recipes[task->output()] = std::move(recipe);
    }
}

}  // namespace xlrm
