// A reward model of one base, source and seed.
#include "../estimate.hpp"
#include "kinds.hpp"
#include "model_task.hpp"
#include "prepare.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {
namespace {

//! Relative work of a training against an evaluation of the same rows: three passes instead of one, several epochs.
constexpr double kTrainingFactor = 3.0;

class TrainTask : public ModelTask {
public:
    TrainTask(std::string base, std::string source, std::int64_t seed, std::string prepared)
        : base_(std::move(base)), source_(std::move(source)), seed_(seed), prepared_(std::move(prepared)) {}
    const char* kind() const override { return kTrainTask.name; }
    std::string name() const override { return "train " + model(); }
    std::string model() const override { return model_name(base_, source_, seed_); }
    Json fields() const override { return {{"base", base_}, {"source", source_}, {"seed", seed_}, {"prepared", prepared_}}; }

    Json recipe(const RecipeBook& book) const override {
        const TrainOptions train = options(book.config, book.folder);
        Json recipe = {{"numerics", kNumerics},
                       {"options", recipe_options(train)},
                       {"rows_sha256", book.rows("data.train", sorted_languages(train.langs))},
                       {"base", book.model(base_)}};
        book.add_eval_data(recipe, train);
        return recipe;
    }

    TaskWording wording() const override {
        return {.verb = "was trained",
                .rename = "source",
                .rows_option = "data.train",
                .defaults = recipe_options({}),
                .needed = {{"base", {"was trained from another base model than " + base_ + " is now", "models/" + base_}}}};
    }

    TaskOutcome run(Workplace& place, const std::function<bool()>& stop) const override {
        on_root(place.group, [&] { place.require_planned("data.train"); });
        const std::string prepared = prepared_there(place, prepared_);
        return train_model(
            place,
            [&] {
                TrainOptions train = options(place.config, place.folder);
                train.prepared = prepared;
                return train;
            },
            stop, true);
    }

    TaskWork estimate(const EstimateBook& book) const override {
        const BaseSize& size = book.size(base_);
        TaskWork work{0.0, 4.0 * size.parameters};
        for (const std::string& lang : source_of(book.config, source_).langs)
            work.flops += 3.0 * book.config.train.epochs * book.pass_flops(size, "data.train", lang);
        return work;
    }

protected:
    std::string base_name() const override { return base_; }

private:
    TrainOptions options(const SweepConfig& config, const SweepFolder& folder) const {
        return training_of(config, folder, base_, source_of(config, source_), seed_);
    }

    std::string base_, source_;
    std::int64_t seed_;
    std::string prepared_;  //!< output of the prepare task of its rows; "" = it reads them itself
};

}  // namespace

const TaskKind kTrainTask = {
    "train", "reward models to train",
    [](PlanBuilder& builder) {
        const double passes = builder.config.train.steps > 0 ? 1.0 : builder.config.train.epochs;
        for (const Base& base : builder.plan.bases) {
            const std::string prepared = builder.prepared[prepared_key(base.name, "data.train", RowUse::training)];
            for (const std::int64_t seed : builder.plan.seeds) {
                for (const Source& source : builder.plan.sources) {
                    auto task = std::make_shared<TrainTask>(base.name, source.name, seed, prepared);
                    task->cost = kTrainingFactor * passes * static_cast<double>(source.langs.size());
                    task->ranks = builder.config.ranks_per_cell;
                    builder.add(std::move(task), {"world", "models/" + base.name, prepared});
                }
            }
        }
    },
    [](const Json& json, const Plan&) -> std::shared_ptr<Task> {
        return std::make_shared<TrainTask>(json.at("base"), json.at("source"), json.at("seed"), json.value("prepared", ""));
    }};

}  // namespace xlrm
