#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xlrm/sweep/plan.hpp"

namespace xlrm {

enum class TaskState { waiting, running, done, failed };

//! Which group does which task. No MPI and no clock, so every order of events can be tested.
class Coordinator {
public:
    //! `done`: tasks whose output is there already.
    Coordinator(const Plan& plan, const std::vector<bool>& done);

    //! The task for a group that is free: the longest one that is ready; among equals one whose model the group holds already
    //! (`loaded`, "" = none). Nothing when none is ready now.
    std::optional<int> next(const std::string& loaded);
    void finished(int task);
    //! Its dependents fail with it.
    void failed(int task, const std::string& reason);
    //! Given back undone (a stop request, a group that ended).
    void returned(int task);

    bool settled() const { return count(TaskState::waiting) + count(TaskState::running) == 0; }
    bool idle() const { return count(TaskState::running) == 0; }
    std::int64_t count(TaskState state) const;
    TaskState state(int task) const { return states_[static_cast<std::size_t>(task)]; }
    const std::string& reason(int task) const { return reasons_[static_cast<std::size_t>(task)]; }

private:
    bool ready(int task) const;
    const Plan& plan_;
    std::vector<TaskState> states_;
    std::vector<std::string> reasons_;
    std::vector<int> order_;  //!< longest first
};

}  // namespace xlrm
