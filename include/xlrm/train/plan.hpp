#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/store/items.hpp"

namespace xlrm {

//! The global order of a run: a function of (n, seed, batch) alone. Epoch e is torch_randperm(n, seed + e); the last batch of an
//! epoch may be short, as in the Hugging Face trainer.
class ExampleOrder {
public:
    //! Throws Error unless items > 0 and batch > 0.
    ExampleOrder(std::int64_t items, std::int64_t batch, std::uint64_t seed);
    //! Items of step `step` (0-based), in order.
    std::vector<std::int64_t> step_items(std::int64_t step) const;
    std::int64_t steps_per_epoch() const;
    //! Steps of `epochs` epochs, rounded up.
    std::int64_t steps_of(double epochs) const;

private:
    std::int64_t items_, batch_;
    std::uint64_t seed_;
    mutable std::int64_t epoch_ = -1;
    mutable std::vector<std::int64_t> order_;
};

//! How a step's items are shared out.
struct PlanOptions {
    std::int64_t token_budget = 8192;  //!< physical tokens a micro-batch (one item may exceed it)
    bool share_prefix = true;          //!< whether answers with the same prefix tokens share them
    //! Attention's cost of a text of n tokens is alpha·n² where all else costs n: about 1 / (12 · hidden).
    double alpha = 1e-4;
};

//! Tokens that the packed batch computes for an item alone.
std::int64_t physical_tokens(const ItemSet& set, std::int64_t item, bool share_prefix);

//! Items of one step on one rank, cut into micro-batches. Ranks are balanced by Σ(tokens + alpha·tokens²): heaviest item first to
//! the least loaded rank, ties to the lower rank; within a rank the step's order is kept. A function of the step's items alone. A
//! rank may get none.
std::vector<std::vector<std::int64_t>> plan_step(const ItemSet& set, std::span<const std::int64_t> items, int rank, int size,
                                                 const PlanOptions& options);

}  // namespace xlrm
