#include "xlrm/sweep/plan.hpp"

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Relative work of a training against an evaluation of the same rows: three passes instead of one, several epochs.
constexpr double kTrainingFactor = 3.0;

const char* kind_name(TaskKind kind) {
    return kind == TaskKind::floor ? "floor" : kind == TaskKind::train ? "train" : "evaluate";
}

TaskKind parse_kind(const std::string& name) {
    if (name == "floor") return TaskKind::floor;
    if (name == "train") return TaskKind::train;
    if (name == "evaluate") return TaskKind::evaluate;
    fail("plan.json: \"" + name + "\" is not a kind of task; the file was written by another version");
}

}  // namespace

std::string Task::model() const { return source.empty() ? base : base + "." + source + ".s" + std::to_string(seed); }

std::string Task::name() const {
    if (kind == TaskKind::floor) return "floor " + source + " " + benchmark;
    if (kind == TaskKind::train) return "train " + model();
    return "evaluate " + model() + " " + benchmark + "." + target;
}

Plan make_plan(const SweepConfig& config) {
    Plan plan;
    plan.bases = config.base_list();
    plan.sources = config.source_list();
    plan.targets = config.target_list();
    plan.seeds = config.seed_list();
    for (const auto& [name, files] : config.benchmarks) plan.benchmarks.push_back(name);
    for (const Source& source : plan.sources) {
        for (const std::string& benchmark : plan.benchmarks) {
            plan.tasks.push_back({TaskKind::floor, "", source.name, benchmark, "", 0, -1, 0.1});
        }
    }
    const double passes = config.train.steps > 0 ? 1.0 : config.train.epochs;
    std::vector<Task> cells;
    for (const Base& base : plan.bases) {
        const auto add_cells = [&](const std::string& source, std::int64_t seed, int needs) {
            for (const std::string& benchmark : plan.benchmarks) {
                for (const std::string& target : plan.targets) {
                    cells.push_back({TaskKind::evaluate, base.name, source, benchmark, target, seed, needs, 1.0});
                }
            }
        };
        for (const std::int64_t seed : plan.seeds) {
            for (const Source& source : plan.sources) {
                const double cost = kTrainingFactor * passes * static_cast<double>(source.langs.size());
                plan.tasks.push_back({TaskKind::train, base.name, source.name, "", "", seed, -1, cost});
                add_cells(source.name, seed, static_cast<int>(plan.tasks.size()) - 1);
            }
        }
        add_cells("", 0, -1);
    }
    plan.tasks.insert(plan.tasks.end(), cells.begin(), cells.end());
    return plan;
}

Json Plan::to_json() const {
    Json json = {{"schema", "XLRM-plan-1"}, {"targets", targets}, {"benchmarks", benchmarks}, {"seeds", seeds}};
    for (const Base& base : bases) json["bases"].push_back({{"name", base.name}, {"folder", base.folder.string()}});
    for (const Source& source : sources) json["sources"].push_back({{"name", source.name}, {"langs", source.langs}});
    for (const Task& task : tasks) {
        json["tasks"].push_back({{"kind", kind_name(task.kind)},
                                 {"base", task.base},
                                 {"source", task.source},
                                 {"seed", task.seed},
                                 {"benchmark", task.benchmark},
                                 {"target", task.target},
                                 {"needs", task.needs},
                                 {"cost", task.cost}});
    }
    if (!inputs.empty()) json["inputs"] = inputs;
    if (!recipes.empty()) json["recipes"] = recipes;
    return json;
}

Plan Plan::from_json(const Json& json) {
    if (json.value("schema", "") != "XLRM-plan-1")
        fail("plan.json: not a plan of this version of xlrm; start the sweep in another folder");
    Plan plan;
    json.at("targets").get_to(plan.targets);
    json.at("benchmarks").get_to(plan.benchmarks);
    json.at("seeds").get_to(plan.seeds);
    for (const Json& base : json.at("bases")) plan.bases.push_back({base.at("name"), base.at("folder").get<std::string>()});
    for (const Json& source : json.at("sources")) plan.sources.push_back({source.at("name"), source.at("langs")});
    for (const Json& t : json.at("tasks")) {
        plan.tasks.push_back({parse_kind(t.at("kind")), t.at("base"), t.at("source"), t.at("benchmark"), t.at("target"),
                              t.at("seed"), t.at("needs"), t.at("cost")});
    }
    if (json.contains("inputs")) plan.inputs = json.at("inputs");
    if (json.contains("recipes")) plan.recipes = json.at("recipes");
    return plan;
}

}  // namespace xlrm
