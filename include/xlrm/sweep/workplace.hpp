#pragma once

#include <functional>
#include <memory>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"

namespace xlrm {

class Evaluator;

//! Where one group of ranks does its tasks, and what it keeps between them: the model of the last cell.
class Workplace {
public:
    //! The arguments must outlive it. `config` has the world's files (use_world).
    Workplace(const Communicator& ranks, const SweepConfig& sweep, const SweepFolder& output, const Plan& tasks);
    ~Workplace();
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;

    //! Collective over the group. An error that every rank of the group sees alike becomes the outcome's reason, and the group
    //! goes on; a task that a signal stopped is given back. In a group of several ranks an error of one rank alone is thrown: its
    //! peers may wait in a collective, so the job must end.
    TaskOutcome work(const Task& task, const std::function<bool()>& stop);

    //! Throws Error where a file of these rows has changed since the recipes were made of it: a result of the change would go
    //! under a wrong name.
    void require_planned(const std::string& option) const;
    Json recipe_of(const Task& task) const { return plan.recipes.at(task.output()); }
    //! Makes room for other models.
    void unload();

    const Communicator& group;
    const SweepConfig& config;
    const SweepFolder& folder;
    const Plan& plan;
    std::unique_ptr<Evaluator> evaluator;
    std::string loaded;  //!< name of its model
};

}  // namespace xlrm
