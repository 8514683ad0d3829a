#pragma once

#include <functional>
#include <memory>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/dispatch.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! One group's hands: does tasks, keeps the model of the last cell loaded.
class Worker {
public:
    //! The arguments must outlive it. Each output gets its recipe of `plan`.
    Worker(const Communicator& group, const SweepConfig& config, SweepFolder folder, const Plan& plan);
    ~Worker();

    //! Collective over the group. An error that every rank of the group sees alike becomes the outcome's reason, and the group
    //! goes on; a cell that a signal stopped is given back. In a group of several ranks an error of one rank alone is thrown: its
    //! peers may wait in a collective, so the job must end.
    TaskOutcome work(const Task& task, const std::function<bool()>& stop);

private:
    TaskOutcome train_model(const Task& task, const std::function<bool()>& stop);
    void evaluate_cell(const Task& task);
    void measure_floor(const Task& task);
    std::filesystem::path model_folder(const Task& task) const;
    void require_planned(const std::string& input) const;
    Json recipe_of(const Task& task) const { return plan_.recipes.at(folder_.name(folder_.output(task))); }

    const Communicator& group_;
    const SweepConfig& config_;
    SweepFolder folder_;
    const Plan& plan_;
    std::unique_ptr<Evaluator> evaluator_;
    std::string loaded_;
};

//! [train] with the fields that a task decides: objective, base, data, languages, part of the split, source, seed, output; paths
//! below [data] root.
TrainOptions training_of(const SweepConfig& config, const SweepFolder& folder, const Task& task);

//! [evaluate] with the sweep's split.
EvaluateOptions evaluation_of(const SweepConfig& config);

//! Folder of a base model, made here or given.
std::filesystem::path base_folder(const SweepConfig& config, const SweepFolder& folder, const std::string& base);

}  // namespace xlrm
