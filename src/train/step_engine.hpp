#pragma once

#include "lora.hpp"
#include "training_inputs.hpp"
#include "training_model.hpp"
#include "xlrm/comm/gradient_reducer.hpp"

namespace xlrm {

//! What one step computes on the ranks of a group: the mean loss over given items, and its gradient. `group`, `inputs`, `model`
//! and `lora` must outlive it.
class StepEngine {
public:
    //! Collective.
    StepEngine(const Communicator& group, const TrainOptions& options, const TrainingInputs& inputs, const TrainingModel& model,
               LoraAdapters* lora = nullptr);

    //! Collective. The sums over `items` of the training data and, in gradient, the gradient of the mean loss: the same on every
    //! rank. A rank that fails in its own work (no memory) still takes part in the reduction, so that all ranks throw its error,
    //! agreed.
    StepSums accumulate(const std::vector<std::int64_t>& items);
    //! Collective. The sums over the evaluation data, each item once, on one rank.
    StepSums evaluate();
    double exposed_seconds() const { return reducer_.exposed_seconds(); }

    const at::Tensor gradient;  //!< fp32, of what is trained: of all weights, or of `lora`'s. Zero before accumulate(), as
                                //!< Optimizer::step leaves it

private:
    struct Gradients {
        at::Tensor trained, whole;
    };
    static Gradients allocate(const Communicator& group, const TrainingModel& model, LoraAdapters* lora);
    StepEngine(const Gradients& gradients, const Communicator& group, const TrainOptions& options, const TrainingInputs& inputs,
               const TrainingModel& model, LoraAdapters* lora);
    //! What Decoder::backward has not announced yet of the elements before `end`, in its pieces, since all ranks must announce
    //! alike.
    void announce_rest(std::int64_t end, const Decoder::GradientReady& ready) const;
    StepSums compute(const std::vector<std::int64_t>& items, const Decoder::GradientReady& ready);

    const at::Tensor whole_;  //!< fp32 [total] of the model; the same as `gradient` without adapters
    const LoraAdapters* const lora_;
    const Communicator& group_;
    const TrainingInputs& in_;
    const TrainingModel& model_;
    Decoder decoder_;
    GradientReducer reducer_;
    const PlanOptions plan_;
};

}  // namespace xlrm
