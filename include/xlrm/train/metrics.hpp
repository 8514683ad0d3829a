#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {

//! Adds `other` to `sums`.
void add(StepSums& sums, const StepSums& other);

//! Collective. Sums of all ranks, added in rank order: the same on every rank.
StepSums sum_over_ranks(const Communicator& group, const StepSums& sums);

//! What a step is described by besides its sums.
struct StepFacts {
    std::int64_t step = 0;         //!< steps done, this one included
    double epoch = 0.0;            //!< epochs done
    double grad_norm = 0.0;        //!< before clipping
    double learning_rate = 0.0;    //!< of this step
    std::int64_t num_tokens = 0;   //!< logical tokens of all steps so far
    double seconds = 0.0;          //!< wall clock of the step
    double exposed_seconds = 0.0;  //!< waiting for the gradient's reduction, this rank
};

//! One line of metrics.jsonl. TRL's names: step, epoch, loss, grad_norm, learning_rate, num_tokens, for pairs accuracy (strict)
//! and margin, with a reward head min_reward, mean_reward, max_reward, and the objective's metric_names(). Beyond these: lm_loss
//! (with an auxiliary LM loss), items, physical_tokens, and everything that depends on time: step_s, pairs_per_s or rows_per_s,
//! tokens_per_s (logical), reduce_wait_s.
Json step_record(const StepFacts& facts, const StepSums& sums, const Objective& objective);

//! {"step", "epoch", "eval_loss", "eval_accuracy", "eval_margin", …, "eval_items", "eval_s"}.
Json evaluation_record(std::int64_t step, double epoch, const StepSums& sums, const Objective& objective, double seconds);

//! metrics.jsonl while it is written. One write(2) a line.
class MetricsFile {
public:
    //! Opens for appending behind the first `keep` bytes; what lies behind them is cut off. Throws Error(io), or when the file is
    //! shorter than `keep`.
    MetricsFile(const std::filesystem::path& path, std::int64_t keep);
    ~MetricsFile();
    MetricsFile(const MetricsFile&) = delete;
    MetricsFile& operator=(const MetricsFile&) = delete;
    void append(const Json& record);
    //! Bytes written, safe on the disk.
    std::int64_t sync();

private:
    std::filesystem::path path_;
    int file_ = -1;
    std::int64_t size_ = 0;
};

}  // namespace xlrm
