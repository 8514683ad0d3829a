#include "model_task.hpp"

#include "../output_records.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/workplace.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

Json member(const fs::path& file, const char* name) { return fs::exists(file) ? read_json(file).value(name, Json()) : Json(); }

//! The options that a model from before recipes says of itself, in the form of a recipe.
Json recorded_options(const Json& identity) {
    Json options = identity.value("option", Json::object());
    if (!options.contains("langs")) return options;
    TrainOptions sorted;
    options.at("langs").get_to(sorted.langs);
    options["langs"] = recipe_options(sorted).at("langs");
    return options;
}

}  // namespace

std::vector<std::string> ModelTask::beside() const { return {checkpoint()}; }

bool ModelTask::done(const SweepFolder& folder) const { return folder.has_model(model()); }

std::string ModelTask::found(const SweepFolder& folder) const {
    if (done(folder)) return output();
    return fs::exists(folder.place(checkpoint())) ? checkpoint() : "";
}

Json ModelTask::recorded(const SweepFolder& folder) const {
    if (!done(folder)) return member(folder.place(checkpoint()) / "checkpoint.json", "recipe");
    const fs::path summary = folder.place(output()) / "training.json";
    const Json recipe = member(summary, "recipe");
    return recipe.is_null() ? member(summary, "identity") : recipe;
}

Verdict ModelTask::judge(OutputRecords& records, const Json& planned) const {
    if (planned.is_null()) return {.agrees = Verdict::unknown};
    const SweepFolder& folder = records.folder();
    if (!done(folder)) {
        const Json there = recorded(folder);
        return there.is_null() ? Verdict{} : records.compare(there, planned, wording());  // the training itself compares the rest
    }
    const fs::path place = folder.place(output());
    if (!fs::exists(place / "training.json")) return {.agrees = Verdict::unknown};
    const Json summary = read_json(place / "training.json");
    Verdict verdict;
    if (summary.contains("recipe")) {
        verdict = records.compare(summary.at("recipe"), planned, wording());
    } else {
        const Json identity = summary.value("identity", Json::object());
        const Json files = member(place / "xlrm.json", "data");
        verdict = records.compare_provenance(
            recorded_options(identity), files.is_object() ? files.value("input_sha256", Json()) : Json(), planned, wording());
        const std::string base = base_name().empty() ? "" : records.weights(base_name());
        if (verdict.agrees != Verdict::no && !base.empty() && identity.value("model_sha256", "") != base) {
            return {Verdict::no, "was trained from another base model than " + base_name() + " is now", "base",
                    "models/" + base_name()};
        }
    }
    const std::string now = records.weights(model());
    if (verdict.agrees != Verdict::no && !now.empty() && summary.value("model_sha256", "") != now)
        return {Verdict::no, "holds other weights than its training wrote", wording().rename, ""};
    return verdict;
}

TaskOutcome ModelTask::train_model(Workplace& place, const std::function<TrainOptions()>& options,
                                   const std::function<bool()>& stop, bool quiet) const {
    place.unload();  // its weights and the trainer's need not be in memory together
    TrainOptions wanted;
    together(place.group, [&] {
        wanted = options();
        wanted.recipe = place.recipe_of(*this);
    });
    return {.returned = train(place.group, wanted, stop, quiet).stopped};
}

}  // namespace xlrm
