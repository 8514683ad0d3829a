#include "xlrm/sweep/folder.hpp"

#include <algorithm>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

std::vector<bool> SweepFolder::done(const Plan& plan) const {
    std::vector<bool> result;
    for (const TaskPointer& task : plan.tasks) {
        const bool whole = !task->derived() || std::ranges::all_of(task->needs, [&](int need) {
            return static_cast<bool>(result[static_cast<std::size_t>(need)]);
        });
        result.push_back(whole && task->done(*this));
    }
    std::vector<bool> wanted(result.size(), false);  // by a task that is left
    for (std::size_t i = result.size(); i-- > 0;) {  // a task's needs come before it
        if (plan.tasks[i]->intermediate() && !wanted[i]) result[i] = true;
        if (result[i]) continue;
        for (const int need : plan.tasks[i]->needs) wanted[static_cast<std::size_t>(need)] = true;
    }
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
