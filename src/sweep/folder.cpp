#include "xlrm/sweep/folder.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

std::filesystem::path SweepFolder::cell(const Task& task) const {
    return root_ / "cells" / task.model() / (task.benchmark + "." + task.target + ".h5");
}

std::filesystem::path SweepFolder::floor(const Task& task) const {
    return root_ / "floors" / (task.source + "." + task.benchmark + ".json");
}

std::filesystem::path SweepFolder::output(const Task& task) const {
    if (task.kind == TaskKind::floor) return floor(task);
    return task.kind == TaskKind::train ? model(task.model()) : cell(task);
}

std::string SweepFolder::name(const std::filesystem::path& path) const { return path.lexically_relative(root_).generic_string(); }

bool SweepFolder::done(const Plan& plan, const Task& task) const {
    if (task.kind == TaskKind::train) return has_model(task.model());
    if (task.kind == TaskKind::evaluate) return cell_verifies(cell(task), hashes_.get());
    if (!std::filesystem::exists(floor(task))) return false;
    const Json targets = read_json(floor(task)).at("targets");
    return std::all_of(plan.targets.begin(), plan.targets.end(),
                       [&](const std::string& target) { return targets.contains(target); });
}

std::vector<bool> SweepFolder::done(const Plan& plan) const {
    std::vector<bool> result;
    for (const Task& task : plan.tasks) result.push_back(done(plan, task));
    return result;
}

bool SweepFolder::has_model(const std::string& name) const {
    // Whoever published a model writes training.json last and only then removes the checkpoint.
    return std::filesystem::exists(model(name) / "training.json") ||
           (std::filesystem::exists(model(name) / "config.json") &&
            !std::filesystem::exists(model(name).string() + ".checkpoint"));
}

void SweepFolder::remove_leftovers() const {
    remove_stale_temporaries(root_);
    std::vector<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
        if (entry.is_directory() && !entry.is_symlink()) folders.push_back(entry.path());
    }
    for (const std::filesystem::path& folder : folders) remove_stale_temporaries(folder);
}

Plan SweepFolder::read_plan() const {
    if (!std::filesystem::exists(plan())) {
        fail(root_.string() + ": not a sweep folder (it has no plan.json); give the folder that xlrm_sweep wrote",
             ExitCode::usage);
    }
    return Plan::from_json(read_json(plan()));
}

}  // namespace xlrm
