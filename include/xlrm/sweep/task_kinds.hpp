#pragma once

#include <functional>
#include <string>
#include <vector>

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/inputs.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! A plan in the making. Kinds add their tasks in the order of the table, so that what a task needs is there before it.
struct PlanBuilder {
    //! Adds a task that needs the tasks with these outputs; one that is no task's (a folder that is given, "") is left out.
    void add(std::shared_ptr<Task> task, const std::vector<std::string>& needs);

    const SweepConfig& config;
    const SweepInputs* inputs;  //!< null where only the grid is asked for: then nothing is prepared
    Plan plan = {};
    //! Output of the prepare task of some rows (tasks/prepare.hpp); "" where a task is to read the rows itself.
    std::map<std::string, std::string> prepared = {};
};

struct TaskKind {
    const char* name;    //!< Task::kind
    const char* plural;  //!< "cells to evaluate"
    void (*add)(PlanBuilder& builder);
    //! From Task::fields(); of a plan of version 1 from what it says of all tasks alike.
    std::shared_ptr<Task> (*read)(const Json& fields, const Plan& plan);
};

//! All kinds, in the order in which they are planned. A further one is one file and one line here.
const std::vector<TaskKind>& task_kinds();

//! Throws Error for a name that is none of theirs.
const TaskKind& task_kind(const std::string& name);

}  // namespace xlrm
