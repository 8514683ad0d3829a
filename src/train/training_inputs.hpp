#pragma once

#include <memory>
#include <optional>

#include "training_data.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/train/objective.hpp"
#include "xlrm/train/plan.hpp"
#include "xlrm/train/schedule.hpp"

namespace xlrm {

//! All that a run reads except its weights, and what follows from it.
struct TrainingInputs {
    std::unique_ptr<Tokenizer> tokenizer;
    std::unique_ptr<ChatTemplate> chat_template;
    ModelConfig config;  //!< as the run starts (training_model.hpp)
    TrainingData data;
    std::unique_ptr<Objective> objective;
    std::optional<ExampleOrder> order;
    std::int64_t steps = 0, warmup = 0;
    Schedule schedule = Schedule::cosine;
};

//! Collective. What costs little is checked first: options, configurations, tokenizer and template, then the data. Throws Error,
//! the same on every rank: for bad rows, and for items that the objective cannot use or whose tokens the model does not have.
TrainingInputs read_training_inputs(const Communicator& group, const TrainOptions& options);

}  // namespace xlrm
