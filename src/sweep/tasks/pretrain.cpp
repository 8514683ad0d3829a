// A base that is made here: a language model from nothing, or from a model further on ([pretrain]).
#include "kinds.hpp"
#include "model_task.hpp"
#include "tokenizer.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

//! Of a tokenizer that is given.
std::string tokenizer_sha256(const TrainOptions& pretrain, FileHashes& hashes) {
    const fs::path folder = pretrain.tokenizer.empty() ? pretrain.model : pretrain.tokenizer;
    std::string files;
    for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json"}) {
        if (fs::exists(folder / name)) files += std::string(name) + " " + hashes.sha256(folder / name) + "\n";
    }
    return sha256(files);
}

class PretrainTask : public ModelTask {
public:
    explicit PretrainTask(std::string base) : base_(std::move(base)) { cost = 1e4; }
    const char* kind() const override { return kPretrainTask.name; }
    std::string name() const override { return "pretrain " + base_; }
    std::string model() const override { return base_; }
    Json fields() const override { return {{"base", base_}}; }
    bool essential() const override { return true; }

    Json recipe(const RecipeBook& book) const override {
        const TrainOptions pretrain = pretraining_of(book.config, book.folder, base_);
        Json recipe = {{"numerics", kNumerics},
                       {"options", recipe_options(pretrain)},
                       {"rows_sha256", book.rows("pretrain.data", sorted_languages(pretrain.langs))}};
        const bool own = makes_tokenizer(book.config) && book.config.pretrain.tokenizer.empty();
        recipe["tokenizer"] = own ? book.needed("tokenizer") : tokenizer_sha256(pretrain, book.folder.hashes());
        if (!pretrain.model.empty())
            recipe["start"] = base_recipe(pretrain.model, book.folder.hashes());
        else if (!book.config.pretrain.model_config.empty())
            recipe["config_sha256"] = book.folder.hashes().sha256(pretrain.model_config);
        book.add_eval_data(recipe, pretrain);
        return recipe;
    }

    TaskWording wording() const override {
        return {.verb = "was trained", .rename = "base", .rows_option = "pretrain.data", .defaults = recipe_options({})};
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>& stop) const override {
        if (place.group.root()) log_root(LogLevel::info, "pretraining the base \"" + base_ + "\"");
        return train_model(
            place, [&] { return pretraining_of(place.config, place.folder, base_); }, stop, false);
    }

private:
    std::string base_;
};

}  // namespace

const TaskKind kPretrainTask = {
    "pretrain", "bases to make",
    [](PlanBuilder& builder) {
        for (const Base& base : builder.plan.bases) {
            if (!base.folder.empty()) continue;
            auto task = std::make_shared<PretrainTask>(base.name);
            task->ranks = builder.config.pretrain_ranks > 0 ? builder.config.pretrain_ranks : builder.config.ranks_per_cell;
            builder.add(std::move(task), {"world", "tokenizer"});
        }
    },
    [](const Json& json, const Plan&) -> std::shared_ptr<Task> { return std::make_shared<PretrainTask>(json.at("base")); }};

}  // namespace xlrm
