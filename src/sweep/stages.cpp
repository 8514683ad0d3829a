#include "xlrm/sweep/stages.hpp"

#include <algorithm>
#include <limits>

namespace xlrm {

std::vector<Stage> stages_of(const Plan& plan, const std::vector<bool>& done, int usual_ranks) {
    std::vector<Stage> stages;
    if (std::ranges::all_of(done, [](bool is) { return is; })) return stages;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        const int ranks = plan.tasks[i]->ranks;
        if (done[i] || ranks < 1 || ranks == usual_ranks) continue;
        if (std::ranges::none_of(stages, [&](const Stage& stage) { return stage.ranks == ranks; }))
            stages.push_back({ranks, 0, std::vector<bool>(plan.tasks.size(), false)});
    }
    for (Stage& stage : stages) {
        for (std::size_t i = plan.tasks.size(); i-- > 0;) {  // a task's needs come before it
            if (!done[i] && plan.tasks[i]->ranks == stage.ranks) {
                stage.tasks[i] = true;
                ++stage.groups;
            }
            if (!stage.tasks[i]) continue;
            for (const int need : plan.tasks[i]->needs) stage.tasks[static_cast<std::size_t>(need)] = true;
        }
    }
    std::vector<bool> last(plan.tasks.size(), false);
    std::vector<bool> usual(plan.tasks.size(), true);
    bool usual_left = false;
    bool last_left = false;
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        last[i] = plan.tasks[i]->ranks == kAllRanks;
        usual[i] = !last[i];
        (last[i] ? last_left : usual_left) |= !done[i];
    }
    if (!last_left) usual.clear();
    if (usual_left) stages.push_back({usual_ranks, 0, usual});
    if (last_left) stages.push_back({std::numeric_limits<int>::max(), 1, last});
    return stages;
}

}  // namespace xlrm
