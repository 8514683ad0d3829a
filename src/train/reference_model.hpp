#pragma once

#include "training_inputs.hpp"
#include "training_model.hpp"

namespace xlrm {

//! Collective. The reference of options.ref_model, or of the model as the run begins with it: asked at every step, or (with
//! precompute_ref_log_probs) once for all items of both sets, divided among the ranks, and then given up. The same bits either
//! way where scores do not depend on the batch.
std::unique_ptr<ReferenceModel> make_reference(const Communicator& group, const TrainOptions& options, const TrainingInputs& in,
                                               const TrainingModel& model);

}  // namespace xlrm
