#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/sweep/plan.hpp"

namespace xlrm {

enum class TaskState { waiting, running, done, failed };

//! What became of tasks so far, and which of the others may be done now.
struct PlanState {
    std::vector<bool> done = {};             //!< output there already
    std::map<int, std::string> failed = {};  //!< task → reason
    std::vector<bool> now = {};              //!< empty = all
};

//! Which group does which task. No MPI and no clock, so every order of events can be tested.
class Coordinator {
public:
    Coordinator(const Plan& plan, const PlanState& state);

    //! The task for a group that is free: the longest one that is ready; among equals one whose model the group holds already
    //! (`loaded`, "" = none). Nothing when none is ready now.
    std::optional<int> next(const std::string& loaded);
    void finished(int task);
    //! Its dependents fail with it, but for those that are derived.
    void failed(int task, const std::string& reason);
    //! Given back undone (a stop request, a group that ended).
    void returned(int task);

    //! No task that may be done now is left.
    bool settled() const;
    bool idle() const { return count(TaskState::running) == 0; }
    std::int64_t count(TaskState state) const;
    TaskState state(int task) const { return states_[static_cast<std::size_t>(task)]; }
    const std::string& reason(int task) const { return reasons_[static_cast<std::size_t>(task)]; }

private:
    bool ready(int task) const;
    const Plan& plan_;
    std::vector<TaskState> states_;
    std::vector<std::string> reasons_;
    std::vector<bool> now_;
    std::vector<int> order_;  //!< longest first
};

}  // namespace xlrm
