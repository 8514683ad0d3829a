#include "xlrm/sweep/plan.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/sweep/task_kinds.hpp"

namespace xlrm {

namespace {

Json folders_json(const std::vector<Base>& bases) {
    Json list = Json::array();
    for (const Base& base : bases) list.push_back({{"name", base.name}, {"folder", base.folder.string()}});
    return list;
}

std::vector<Base> folders_of(const Json& list) {
    std::vector<Base> bases;
    for (const Json& base : list) bases.push_back({base.at("name"), base.at("folder").get<std::string>()});
    return bases;
}

void read_task(Plan& plan, const Json& json, const std::vector<int>& needs) {
    const std::shared_ptr<Task> task = task_kind(json.at("kind")).read(json, plan);
    task->needs = needs;
    task->cost = json.at("cost");
    task->ranks = json.value("ranks", 0);
    for (const int need : needs) {
        if (need < 0 || need >= static_cast<int>(plan.tasks.size()))
            fail("plan.json: task \"" + task->name() + "\" needs a task that does not come before it (a damaged file?)");
    }
    plan.tasks.push_back(task);
}

//! Tasks of version 1: world, tokenizer and bases were made before the grid, and only their recipes are there.
void read_tasks_1(Plan& plan, const Json& tasks) {
    const auto add = [&](const std::string& output, const char* kind, const Json& fields) {
        if (plan.recipes.contains(output)) plan.tasks.push_back(task_kind(kind).read(fields, plan));
    };
    add("world", "world", {});
    add("tokenizer", "tokenizer", {});
    for (const Base& base : plan.bases) {
        if (base.folder.empty()) add("models/" + base.name, "pretrain", {{"base", base.name}});
    }
    const auto shift = static_cast<int>(plan.tasks.size());
    for (const Json& json : tasks) {
        const int need = json.at("needs");
        read_task(plan, json, need < 0 ? std::vector<int>{} : std::vector<int>{need + shift});
    }
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

}  // namespace

int Plan::index_of(const std::string& output) const {
    const auto found = std::ranges::find_if(tasks, [&](const TaskPointer& task) { return task->output() == output; });
    return found == tasks.end() ? -1 : static_cast<int>(found - tasks.begin());
}

Plan make_plan(const SweepConfig& config, const SweepInputs* inputs) {
    PlanBuilder builder{config, inputs};
    Plan& plan = builder.plan;
    plan.bases = config.base_list();
    plan.models = config.model_list();
    plan.sources = config.source_list();
    plan.targets = config.target_list();
    plan.seeds = config.seed_list();
    for (const auto& [name, files] : config.benchmarks) plan.benchmarks.push_back(name);
    for (const TaskKind& kind : task_kinds()) kind.add(builder);
    return std::move(plan);
}

Json Plan::to_json() const {
    Json json = {{"schema", "XLRM-plan-2"},  {"bases", folders_json(bases)}, {"models", folders_json(models)},
                 {"sources", Json::array()}, {"targets", targets},           {"benchmarks", benchmarks},
                 {"seeds", seeds},           {"tasks", Json::array()}};
    for (const Source& source : sources) json["sources"].push_back({{"name", source.name}, {"langs", source.langs}});
    for (const TaskPointer& task : tasks) {
        Json fields = task->fields();
        fields["kind"] = task->kind();
        fields["needs"] = task->needs;
        fields["cost"] = task->cost;
        fields["ranks"] = task->ranks;
        json["tasks"].push_back(std::move(fields));
    }
    if (!inputs.empty()) json["inputs"] = inputs;
    if (!recipes.empty()) json["recipes"] = recipes;
    return json;
}

Plan Plan::from_json(const Json& json) {
    const std::string schema = json.value("schema", "");
    if (schema != "XLRM-plan-2" && schema != "XLRM-plan-1")
        fail("plan.json: not a plan of this version of xlrm; start the sweep in another folder");
    Plan plan;
    json.at("targets").get_to(plan.targets);
    json.at("benchmarks").get_to(plan.benchmarks);
    json.at("seeds").get_to(plan.seeds);
    plan.bases = folders_of(json.at("bases"));
    plan.models = folders_of(json.value("models", Json::array()));
    for (const Json& source : json.at("sources")) plan.sources.push_back({source.at("name"), source.at("langs")});
    if (json.contains("inputs")) plan.inputs = json.at("inputs");
    if (json.contains("recipes")) plan.recipes = json.at("recipes");
    if (schema == "XLRM-plan-1") {
        read_tasks_1(plan, json.at("tasks"));
        return plan;
    }
    for (const Json& task : json.at("tasks")) read_task(plan, task, task.at("needs"));
    return plan;
}

std::string Plan::to_dot(const std::vector<bool>& done) const {
    std::string out = "digraph sweep {\n  rankdir=LR;\n  node [shape=box];\n";
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const bool there = i < done.size() && done[i];
        out += "  t" + std::to_string(i) + " [label=" + quoted(tasks[i]->name()) +
               (there ? ", style=filled, fillcolor=lightgrey" : "") + "];\n";
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        for (const int need : tasks[i]->needs) out += "  t" + std::to_string(need) + " -> t" + std::to_string(i) + ";\n";
    }
    return out + "}\n";
}

}  // namespace xlrm
