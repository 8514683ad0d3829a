#include "xlrm/sweep/worker.hpp"

#include <chrono>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/sweep/floor.hpp"
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
    train.langs = source_of(config.source_list(), task.source).langs;
    train.split = config.split;
    train.part = config.split.empty() ? "" : "train";
    train.source = task.source;
    train.seed = task.seed;
    train.output = folder.model(task.model()).string();
    return train;
}

EvaluateOptions evaluation_of(const SweepConfig& config) {
    EvaluateOptions evaluate = config.evaluate;
    evaluate.split = config.split;
    evaluate.part = config.split.empty() ? "" : "test";
    return evaluate;
}

Worker::Worker(const Communicator& group, const SweepConfig& config, SweepFolder folder)
    : group_(group), config_(config), folder_(std::move(folder)) {}

Worker::~Worker() = default;

TaskOutcome Worker::work(const Task& task, const std::function<bool()>& stop) {
    try {
        if (task.kind == TaskKind::train) return train_model(task, stop);
        if (task.kind == TaskKind::evaluate) evaluate_cell(task);
        if (task.kind == TaskKind::floor) measure_floor(task);
        return {};
    } catch (const Error& error) {
        evaluator_.reset();
        loaded_.clear();
        if (group_.size() > 1 && !error.agreed()) throw;
        return {false, std::string(error.what()) + " [" + error.where() + "]"};
    } catch (const std::exception& error) {  // libtorch's own, or no memory
        evaluator_.reset();
        loaded_.clear();
        if (group_.size() > 1) throw;
        const std::string reason = error.what();
        return {false, reason.substr(0, reason.find('\n'))};
    }
}

TaskOutcome Worker::train_model(const Task& task, const std::function<bool()>& stop) {
    evaluator_.reset();  // its weights and the trainer's need not be in memory together
    loaded_.clear();
    const TrainOutcome outcome = train(group_, training_of(config_, folder_, task), stop, true);
    return {outcome.stopped, ""};
}

std::filesystem::path Worker::model_folder(const Task& task) const {
    return task.source.empty() ? base_folder(config_, folder_, task.base) : folder_.model(task.model());
}

void Worker::evaluate_cell(const Task& task) {
    const auto start = std::chrono::steady_clock::now();
    if (loaded_ != task.model()) {
        evaluator_.reset();
        together(group_, [&] { evaluator_ = std::make_unique<Evaluator>(model_folder(task), evaluation_of(config_)); });
        loaded_ = task.model();
    }
    Cell cell = evaluator_->evaluate(group_, config_.data_paths(config_.benchmarks.at(task.benchmark)), {task.target});
    on_root(group_, [&] {
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
        const Source source = source_of(config_.source_list(), task.source);
        const Json floor = surface_floor(config_, source, task.benchmark);
        write_file_atomic(folder_.floor(task), floor.dump(1) + "\n");
    });
}

}  // namespace xlrm
