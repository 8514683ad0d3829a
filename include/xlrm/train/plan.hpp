#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/store/items.hpp"

namespace xlrm {

//! The global order of a run: a function of (n, seed, batch, steps) alone. Epoch e is torch_randperm(n, seed + e); the last batch of
//! an epoch may be short, as in the Hugging Face trainer.
class ExampleOrder {
public:
    ExampleOrder(std::int64_t items, std::int64_t batch, std::uint64_t seed);
    //! Items of step `step` (0-based), in order.
    std::vector<std::int64_t> step_items(std::int64_t step) const;
    std::int64_t steps_per_epoch() const;

private:
    std::int64_t items_, batch_;
    std::uint64_t seed_;
    mutable std::int64_t epoch_ = -1;
    mutable std::vector<std::int64_t> order_;
};

//! Items of one step on one rank, cut into micro-batches of at most `token_budget` physical tokens (one item may exceed it). Ranks are
//! balanced by Σ(tokens + alpha·tokens²): heaviest item first to the least loaded rank, ties to the lower rank; a function of the
//! step's items alone. A rank may get none.
std::vector<std::vector<std::int64_t>> plan_step(const ItemSet& set, std::span<const std::int64_t> items, int rank, int size,
                                                 std::int64_t token_budget);

}  // namespace xlrm
