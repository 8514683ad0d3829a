#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "xlrm/model/decoder.hpp"
#include "xlrm/model/pooling.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Sums over the items of one micro-batch; added over micro-batches and ranks.
struct StepSums {
    double loss = 0.0;       //!< sum of the loss over items (bt) or predicted tokens (lm), auxiliary terms included
    double weight = 0.0;     //!< sum of item_weight
    double items = 0.0;
    double correct = 0.0;    //!< bt: pairs with r_chosen > r_rejected (strict)
    double margin = 0.0;     //!< bt: sum of r_chosen - r_rejected
    double reward_sum = 0.0;
    double reward_min = 1e300, reward_max = -1e300;
    double lm_loss = 0.0;    //!< bt with an auxiliary LM loss: sum over items of its mean per token, before the coefficient …
    double lm_weight = 0.0;  //!< … and the number of those items
    double tokens = 0.0;     //!< logical tokens
    double physical = 0.0;   //!< tokens computed
};

//! One objective: forward, loss, backward of one micro-batch.
class Objective {
public:
    virtual ~Objective() = default;
    virtual std::string name() const = 0;
    //! Whether items are pairs with rewards, so that accuracy, margin and rewards mean something.
    virtual bool pairs() const = 0;
    //! Throws Error naming the first item that this objective cannot use.
    virtual void check(const ItemSet& set) const = 0;
    //! Adds d(scale · Σ loss)/d(parameters) into the flat gradient. `ready` only on the rank's last micro-batch of a step. REQUIRES: at
    //! least one item.
    virtual StepSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                                at::Tensor gradient, const Decoder::GradientReady& ready) = 0;
    //! Loss and metrics without gradients.
    virtual StepSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) = 0;
    //! Weight of an item in the step's mean: 1 for bt, its predicted tokens for lm (known before the forward pass, so that the
    //! scale is the same on every rank).
    virtual double item_weight(const ItemSet& set, std::int64_t item) const = 0;
};

struct BradleyTerryOptions {
    Pooling pooling = Pooling::last;
    double center_coefficient = 0.0;
    double lm_coefficient = 0.0;  //!< needs an LM head beside the reward head (or tied embeddings)
    bool share_prefix = true;
};

//! -log σ(r_chosen - r_rejected) + c·(r_chosen + r_rejected)², as TRL's RewardTrainer, + lm_coefficient · mean over the chosen answer's
//! tokens (behind the prompt; all but the first where there is no prompt) of their cross entropy. Head and losses in fp32 or better.
std::unique_ptr<Objective> make_bradley_terry(const BradleyTerryOptions& options);

//! Next-token cross entropy, mean over predicted tokens of the step; every token of a document but its first is predicted.
std::unique_ptr<Objective> make_language_model();

}  // namespace xlrm
