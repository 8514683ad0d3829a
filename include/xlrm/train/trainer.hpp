#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

struct TrainOutcome {
    bool stopped = false;            //!< by a stop request; a checkpoint was written and the same call resumes
    std::int64_t steps = 0;          //!< optimiser steps taken in all, resumed ones included
    std::int64_t planned_steps = 0;  //!< of the whole run
    double final_loss = 0.0;
    double eval_accuracy = -1.0;  //!< of eval_data at the end; -1 without
};

//! Checked between steps, on every rank of the group alike (ranks agree by an allreduce).
using StopCheck = std::function<bool()>;

//! Collective over `group`. Trains data-parallel and writes `options.output` (model folder, metrics.jsonl in it, one line a
//! step). Checkpoints lie in `<output>.checkpoint/`, replaced atomically, removed at the end. With `resume` = auto an interrupted
//! run goes on; one of other data, options or model is refused by name. `quiet` suppresses progress (cells of a sweep). With one
//! rank or many the order of examples and, up to the order of sums, the numbers are the same. The caller has the output to
//! itself: a sweep by the lock of its whole folder. `lock`: asked before a checkpoint or the model replaces what is there; on the
//! root alone, or none.
TrainOutcome train(const Communicator& group, const TrainOptions& options, const StopCheck& stop, bool quiet = false,
                   const OutputLock* lock = nullptr);

//! Collective. What xlrm_train does: checks the options, takes the lock of the output (core/output_lock.hpp), and trains.
TrainOutcome run_training(const Communicator& group, const TrainOptions& options, const StopCheck& stop);

//! What a run that was stopped says: how far it came, where its state lies, and how to go on.
std::string stop_sentence(const TrainOptions& options, const TrainOutcome& outcome);

//! What --dry-run prints: rows by language, steps, tokens, estimate of time and memory. Writes nothing.
std::string training_report(const Communicator& group, const TrainOptions& options);

}  // namespace xlrm
