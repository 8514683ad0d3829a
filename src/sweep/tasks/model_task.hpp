#pragma once

#include "xlrm/sweep/task.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! A model that this sweep trains: models/<name>, and its checkpoint while it is not finished. It records its recipe in
//! training.json, in a checkpoint in checkpoint.json.
class ModelTask : public Task {
public:
    std::string output() const override { return "models/" + model(); }
    std::vector<std::string> beside() const override;
    bool done(const SweepFolder& folder) const override;
    std::string found(const SweepFolder& folder) const override;
    Json recorded(const SweepFolder& folder) const override;
    //! Also: its weights are those that its training wrote; and of one from before recipes, options, files and base weights.
    Verdict judge(OutputRecords& records, const Json& planned) const override;

protected:
    //! The base that it starts from; "" for one that starts from nothing here.
    virtual std::string base_name() const { return ""; }
    std::string checkpoint() const { return output() + ".checkpoint"; }
    //! Collective over the group. `quiet`: without the training's own lines, of which several would run together.
    TaskOutcome train_model(Workplace& place, const std::function<TrainOptions()>& options, const std::function<bool()>& stop,
                            bool quiet) const;
};

}  // namespace xlrm
