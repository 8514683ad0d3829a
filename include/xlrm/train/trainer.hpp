#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

struct TrainOutcome {
    bool stopped = false;          //!< by a stop request; a checkpoint was written and the same call resumes
    std::int64_t steps = 0;        //!< optimiser steps taken in all, resumed ones included
    double final_loss = 0.0;
    double eval_accuracy = -1.0;   //!< of eval_data at the end; -1 without
};

//! Checked between steps, on every rank of the group alike (ranks agree by an allreduce).
using StopCheck = std::function<bool()>;

//! Collective over `group`. Trains data-parallel and writes `options.output` (model folder, metrics.jsonl in it, one line a step).
//! Checkpoints lie in `<output>.checkpoint/`, replaced atomically, removed at the end. With `resume` = auto an interrupted run goes
//! on; one of other data, options or model is refused by name. `quiet` suppresses progress (cells of a sweep).
//! With one rank or many the order of examples and, up to the order of sums, the numbers are the same.
TrainOutcome train(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet = false);

//! What --dry-run prints: rows by language, steps, tokens, estimate of time and memory. Writes nothing.
std::string training_report(const Communicator& group, const TrainOptions& options);

}  // namespace xlrm
