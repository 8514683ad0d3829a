#pragma once

#include "xlrm/sweep/task_kinds.hpp"

namespace xlrm {

//! One of each kind, defined in the file of its name.
extern const TaskKind kWorldTask, kTokenizerTask, kPretrainTask, kFloorTask, kPrepareTask, kTrainTask, kEvaluateTask, kJudgeTask,
    kAnalyzeTask;

}  // namespace xlrm
