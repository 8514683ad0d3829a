#pragma once

#include <chrono>
#include <optional>

#include "optimizer.hpp"
#include "result_folder.hpp"
#include "xlrm/train/metrics.hpp"

namespace xlrm {

//! The checkpoints of one run on the ranks of a group: the root reads and writes, all take the state over. The arguments must
//! outlive it.
class RunCheckpoints {
public:
    RunCheckpoints(const Communicator& group, const ResultFolder& result, const RunIdentity& identity, const Json& recipe,
                   Optimizer& optimizer);

    //! Collective. Where the run stands: at a checkpoint, taken over into the optimiser, or, without one or unless `wanted`, at
    //! step 0. Opens `metrics` there, on the root alone. Throws Error for a damaged checkpoint and one of another run.
    RunPosition resume(bool wanted, std::optional<MetricsFile>& metrics);
    //! Whether the last one is older than `minutes` (0: never).
    bool due(double minutes) const;
    //! Collective. Saves the state at `position`, unless it is saved already.
    void save(RunPosition position, std::optional<MetricsFile>& metrics);

private:
    using Clock = std::chrono::steady_clock;
    const Communicator& group_;
    const ResultFolder& result_;
    const RunIdentity& identity_;
    const Json& recipe_;
    Optimizer& optimizer_;
    Clock::time_point saved_at_ = Clock::now();
    std::int64_t saved_step_ = -1;
};

}  // namespace xlrm
