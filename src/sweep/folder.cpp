#include "xlrm/sweep/folder.hpp"

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

bool SweepFolder::done(const Task& task) const {
    switch (task.kind) {
        case TaskKind::floor: return std::filesystem::exists(floor(task));  // renamed into place whole
        case TaskKind::train: return std::filesystem::exists(model(task.model()) / "config.json");
        case TaskKind::evaluate: return cell_verifies(cell(task));
    }
    return false;
}

std::vector<bool> SweepFolder::done(const Plan& plan) const {
    std::vector<bool> result;
    for (const Task& task : plan.tasks) result.push_back(done(task));
    return result;
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
        fail(root_.string() + ": not a sweep folder (it has no plan.json); give the folder that xlrm_sweep wrote", ExitCode::usage);
    }
    return Plan::from_json(read_json(plan()));
}

}  // namespace xlrm
