#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "training_model.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/train/checkpoint.hpp"

namespace xlrm {

//! Where a run's result goes: `<output>/`, a model folder with metrics.jsonl and training.json (identity, recipe where a sweep
//! gave one, hash of the model, summary), put in place whole; and `<output>.checkpoint/` until then. For one process.
class ResultFolder {
public:
    //! `lock`: of the output, or null where another guards it.
    explicit ResultFolder(const std::string& output, const OutputLock* lock = nullptr);

    const CheckpointFolder& checkpoint() const { return checkpoint_; }
    //! Throws Error where another run has taken the output over.
    void require_held() const;
    //! The summary in training.json when this very run is finished and its model whole; "" when it is to be trained. Throws Error
    //! when the folder holds anything else, naming it.
    std::string finished(const RunIdentity& identity) const;
    //! Throws Error unless the folder is free, empty or the result of an earlier training.
    void require_replaceable() const;
    //! Makes the checkpoint's folder and checks that `bytes` of weights fit there. What an older run left in it is removed unless
    //! `resumed`.
    void prepare(bool resumed, std::int64_t bytes) const;
    //! Writes the model, by `beside` what else belongs into its folder, and only then removes the checkpoint. `recipe`:
    //! TrainOptions::recipe.
    void publish(const TrainingModel& model, const std::filesystem::path& tokenizer_from, const Json& extra,
                 const RunIdentity& identity, const Json& recipe, const Json& summary,
                 const std::function<void(const std::filesystem::path& folder)>& beside) const;

private:
    std::filesystem::path folder_;
    CheckpointFolder checkpoint_;
    const OutputLock* lock_;
};

}  // namespace xlrm
