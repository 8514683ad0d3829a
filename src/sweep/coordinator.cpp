#include "xlrm/sweep/coordinator.hpp"

#include <algorithm>
#include <numeric>

namespace xlrm {

Coordinator::Coordinator(const Plan& plan, const PlanState& state)
    : plan_(plan),
      states_(plan.tasks.size(), TaskState::waiting),
      reasons_(plan.tasks.size()),
      now_(state.now),
      order_(plan.tasks.size()) {
    now_.resize(plan.tasks.size(), state.now.empty());
    for (std::size_t i = 0; i < state.done.size(); ++i) {
        if (state.done[i]) states_[i] = TaskState::done;
    }
    for (const auto& [task, reason] : state.failed) {
        states_[static_cast<std::size_t>(task)] = TaskState::failed;
        reasons_[static_cast<std::size_t>(task)] = reason;
    }
    std::iota(order_.begin(), order_.end(), 0);
    std::ranges::stable_sort(order_, [&](int a, int b) { return plan_.task(a).cost > plan_.task(b).cost; });
}

bool Coordinator::ready(int task) const {
    const bool some_will_do = plan_.task(task).derived();
    return state(task) == TaskState::waiting && now_[static_cast<std::size_t>(task)] &&
           std::ranges::all_of(plan_.task(task).needs, [&](int need) {
               return state(need) == TaskState::done || (some_will_do && state(need) == TaskState::failed);
           });
}

std::optional<int> Coordinator::next(const std::string& loaded) {
    std::optional<int> pick;
    for (const int task : order_) {
        if (pick && plan_.task(task).cost < plan_.task(*pick).cost) break;
        if (!ready(task)) continue;
        if (!pick) pick = task;
        if (!loaded.empty() && plan_.task(task).model() == loaded) {
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
        const std::vector<int>& needs = plan_.tasks[i]->needs;
        if (states_[i] == TaskState::waiting && !plan_.tasks[i]->derived() && std::ranges::find(needs, task) != needs.end())
            failed(static_cast<int>(i), "needs \"" + plan_.task(task).name() + "\", which failed");
    }
}

void Coordinator::returned(int task) { states_[static_cast<std::size_t>(task)] = TaskState::waiting; }

bool Coordinator::settled() const {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (now_[i] && (states_[i] == TaskState::waiting || states_[i] == TaskState::running)) return false;
    }
    return true;
}

std::int64_t Coordinator::count(TaskState state) const { return std::count(states_.begin(), states_.end(), state); }

}  // namespace xlrm
