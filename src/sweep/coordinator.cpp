#include "xlrm/sweep/coordinator.hpp"

#include <algorithm>
#include <numeric>

namespace xlrm {

Coordinator::Coordinator(const Plan& plan, const std::vector<bool>& done)
    : plan_(plan), states_(plan.tasks.size(), TaskState::waiting), reasons_(plan.tasks.size()), order_(plan.tasks.size()) {
    for (std::size_t i = 0; i < done.size(); ++i) {
        if (done[i]) states_[i] = TaskState::done;
    }
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](int a, int b) {
        return plan_.tasks[static_cast<std::size_t>(a)].cost > plan_.tasks[static_cast<std::size_t>(b)].cost;
    });
}

bool Coordinator::ready(int task) const {
    const int needs = plan_.tasks[static_cast<std::size_t>(task)].needs;
    return state(task) == TaskState::waiting && (needs < 0 || state(needs) == TaskState::done);
}

std::optional<int> Coordinator::next(const std::string& loaded) {
    std::optional<int> pick;
    for (const int task : order_) {
        const Task& candidate = plan_.tasks[static_cast<std::size_t>(task)];
        if (pick && candidate.cost < plan_.tasks[static_cast<std::size_t>(*pick)].cost) break;
        if (!ready(task)) continue;
        if (!pick) pick = task;
        if (candidate.kind == TaskKind::evaluate && candidate.model() == loaded) {
            pick = task;
            break;
        }
    }
    if (pick) states_[static_cast<std::size_t>(*pick)] = TaskState::running;
    return pick;
}

void Coordinator::finished(int task) { states_[static_cast<std::size_t>(task)] = TaskState::done; }

void Coordinator::failed(int task, const std::string& reason) {
    states_[static_cast<std::size_t>(task)] = TaskState::failed;
    reasons_[static_cast<std::size_t>(task)] = reason;
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
        if (plan_.tasks[i].needs == task && states_[i] == TaskState::waiting) {
            failed(static_cast<int>(i), "needs \"" + plan_.tasks[static_cast<std::size_t>(task)].name() + "\", which failed");
        }
    }
}

void Coordinator::returned(int task) { states_[static_cast<std::size_t>(task)] = TaskState::waiting; }

std::int64_t Coordinator::count(TaskState state) const { return std::count(states_.begin(), states_.end(), state); }

}  // namespace xlrm
