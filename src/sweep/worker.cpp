#include "xlrm/sweep/worker.hpp"

#include <chrono>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/sweep/tables.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/train/trainer.hpp"

namespace xlrm {

namespace {

Source source_of(const std::vector<Source>& sources, const std::string& name) {
    for (const Source& source : sources) {
        if (source.name == name) return source;
    }
    fail("the plan names a source \"" + name + "\" that the configuration does not have");
}

std::vector<std::string> texts(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::string> result;
    for (const std::filesystem::path& path : paths) result.push_back(path.string());
    return result;
}

}  // namespace

std::filesystem::path base_folder(const SweepConfig& config, const SweepFolder& folder, const std::string& base) {
    for (const Base& entry : config.base_list()) {
        if (entry.name == base) return entry.folder.empty() ? folder.model(base) : entry.folder;
    }
    fail("the plan names a base \"" + base + "\" that the configuration does not have");
}

TrainOptions training_of(const SweepConfig& config, const SweepFolder& folder, const Task& task) {
    TrainOptions train = config.train;
    train.objective = "bt";
    train.model = base_folder(config, folder, task.base).string();
    train.data = texts(config.data_paths(config.train_files));
    train.forms = config.forms;
    train.langs = source_of(config.source_list(), task.source).langs;
    train.split = config.split;
    train.part = config.split.empty() ? "" : "train";
    train.source = task.source;
    train.seed = task.seed;
    train.output = folder.model(task.model()).string();
    for (std::string& file : train.eval_data) file = config.data_path(file).string();
    return train;
}

EvaluateOptions evaluation_of(const SweepConfig& config) {
    EvaluateOptions evaluate = config.evaluate;
    // A trained model says its date itself; a base model's texts are to be those of the training.
    if (evaluate.template_date.empty() && config.train.template_date != kTemplateDate)
        evaluate.template_date = config.train.template_date;
    evaluate.forms = config.forms;
    evaluate.split = config.split;
    evaluate.part = config.split.empty() ? "" : "test";
    return evaluate;
}

Worker::Worker(const Communicator& group, const SweepConfig& config, SweepFolder folder, const Plan& plan)
    : group_(group), config_(config), folder_(std::move(folder)), plan_(plan) {}

Worker::~Worker() = default;

TaskOutcome Worker::work(const Task& task, const std::function<bool()>& stop) {
    TaskOutcome outcome;
    const Problem problem = attempt([&] {
        if (task.kind == TaskKind::train) outcome = train_model(task, stop);
        if (task.kind == TaskKind::evaluate) evaluate_cell(task);
        if (task.kind == TaskKind::floor) measure_floor(task);
    });
    if (!problem) return outcome;
    evaluator_.reset();
    loaded_.clear();
    if (group_.size() > 1 && !problem.agreed) throw Error(problem.message, problem.code);
    if (problem.code == ExitCode::stopped) return {.returned = true, .reason = ""};
    return {.returned = false, .reason = problem.message};
}

TaskOutcome Worker::train_model(const Task& task, const std::function<bool()>& stop) {
    evaluator_.reset();  // its weights and the trainer's need not be in memory together
    loaded_.clear();
    on_root(group_, [&] { require_planned("data.train"); });
    TrainOptions options;
    together(group_, [&] {
        options = training_of(config_, folder_, task);
        options.recipe = recipe_of(task);
    });
    const TrainOutcome outcome = train(group_, options, stop, true);
    return {outcome.stopped, ""};
}

//! The files are those that the recipes were made of: a change while the sweep runs would go under a wrong name.
void Worker::require_planned(const std::string& input) const {
    for (const Json& file : plan_.inputs.at(input).at("files")) {
        const std::string path = file.at("path");
        if (folder_.hashes().sha256(path) != file.at("sha256")) {
            fail(path +
                 ": the file has changed since the sweep began (its results would be of other rows than planned); run the sweep "
                 "again");
        }
    }
}

std::filesystem::path Worker::model_folder(const Task& task) const {
    return task.source.empty() ? base_folder(config_, folder_, task.base) : folder_.model(task.model());
}

void Worker::evaluate_cell(const Task& task) {
    const auto start = std::chrono::steady_clock::now();
    if (loaded_ != task.model()) {
        evaluator_.reset();
        together(group_, [&] {
            const Activity activity("loading the model");
            evaluator_ = std::make_unique<Evaluator>(model_folder(task), evaluation_of(config_));
        });
        loaded_ = task.model();
    }
    const std::vector<std::filesystem::path> data = config_.data_paths(config_.benchmarks.at(task.benchmark));
    evaluator_->evaluate(group_, data, {config_.target_language(task.target)}, [&](Cell& cell) {
        const Activity activity("writing the cell");
        require_planned("data.eval." + task.benchmark);
        cell.provenance["recipe"] = recipe_of(task);
        cell.model = task.model();
        cell.source_lang = task.source;
        cell.seed = task.seed;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        Json facts = run_facts(group_, seconds);
        facts.update(evaluator_->exactness());
        write_cell(folder_.cell(task), cell, facts);
    });
}

void Worker::measure_floor(const Task& task) {
    on_root(group_, [&] {
        const Activity activity("measuring the surface floor");
        const Source source = source_of(config_.source_list(), task.source);
        require_planned("data.train");
        require_planned("data.eval." + task.benchmark);
        Json floor = surface_floor(floor_request(config_, source, task.benchmark));
        const Json recipe = recipe_of(task);
        for (auto& [target, entry] : floor.at("targets").items()) entry["recipe"] = recipe.at(target);
        if (std::filesystem::exists(folder_.floor(task))) {  // targets that it has stay as they are
            floor.at("targets").update(read_json(folder_.floor(task)).at("targets"));
        }
        write_file_atomic(folder_.floor(task), floor.dump(1) + "\n");
    });
}

}  // namespace xlrm
