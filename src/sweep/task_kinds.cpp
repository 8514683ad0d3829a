#include "xlrm/sweep/task_kinds.hpp"

#include <algorithm>

#include "tasks/kinds.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

const std::vector<TaskKind>& task_kinds() {
    static const std::vector<TaskKind> kinds = {
        kWorldTask, kTokenizerTask, kPretrainTask, kFloorTask, kPrepareTask, kTrainTask, kEvaluateTask, kJudgeTask, kAnalyzeTask,
    };
    return kinds;
}

const TaskKind& task_kind(const std::string& name) {
    const auto found = std::ranges::find_if(task_kinds(), [&](const TaskKind& kind) { return name == kind.name; });
    if (found == task_kinds().end())
        fail("plan.json: \"" + name + "\" is not a kind of task; the file was written by another version");
    return *found;
}

void PlanBuilder::add(std::shared_ptr<Task> task, const std::vector<std::string>& needs) {
    for (const std::string& output : needs) {
        const int index = plan.index_of(output);
        if (index >= 0) task->needs.push_back(index);
    }
    plan.tasks.push_back(std::move(task));
}

}  // namespace xlrm
