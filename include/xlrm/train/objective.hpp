#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "xlrm/infer/pooling.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! A mean that is being gathered.
struct Mean {
    double sum = 0.0, weight = 0.0;
    void add(double value, double times = 1.0) { sum += value * times, weight += times; }
};

//! Sums over the items of one micro-batch; added over micro-batches and ranks.
struct StepSums {
    double loss = 0.0;    //!< sum of the loss over items, predicted tokens or labels (see item_weight), auxiliary terms included
    double weight = 0.0;  //!< sum of item_weight
    double items = 0.0;
    double correct = 0.0;  //!< pairs: those whose chosen answer has the higher reward (strict)
    double margin =
        0.0;  //!< pairs: sum of r_chosen - r_rejected (ranking: the lowest of the best answers against the highest other)
    double reward_sum = 0.0;
    double reward_min = 1e300, reward_max = -1e300;
    double lm_loss = 0.0;    //!< bt with an auxiliary LM loss: sum over items of its mean per token, before the coefficient …
    double lm_weight = 0.0;  //!< … and the number of those items
    double tokens = 0.0;     //!< logical tokens
    double physical = 0.0;   //!< tokens computed
    double rewards = 0.0;    //!< number of rewards
    static constexpr std::size_t kMeans = 10;
    std::array<Mean, kMeans> means = {};  //!< the objective's own metrics, in the order of metric_names()
    double failures = 0.0;                //!< ranks that could not compute their share
};

//! The sums of one micro-batch. What they are made of may still be on the device, so that no micro-batch waits for it: a step
//! reads all of its own at once.
class PendingSums {
public:
    //! The sums of `values`, one span of fp64 for each tensor. It owns all else that it reads.
    using Finish = std::function<StepSums(const std::vector<std::span<const double>>& values)>;
    //! `values`: contiguous fp64 tensors of one device. Where the host reads them in place they are finished at once.
    PendingSums(std::vector<at::Tensor> values, Finish finish);

    //! The sums of all, added in order; waits for the device once.
    static StepSums read(std::span<const PendingSums> all);
    StepSums read() const { return read({this, 1}); }

private:
    std::vector<at::Tensor> values_;
    Finish finish_;  //!< none: `sums_` are there
    StepSums sums_;
};

//! Log-probabilities that a frozen model gives to answers; dpo measures against them.
class ReferenceModel {
public:
    virtual ~ReferenceModel() = default;
    //! Of the answers of `items`, in order: sums over the tokens of the completion, fp64 on the device that computes. `set` is
    //! one that prepare() has seen, if it was called.
    virtual at::Tensor log_probs(const ItemSet& set, std::span<const std::int64_t> items) = 0;
};

//! One objective: forward, loss, backward of one micro-batch.
class Objective {
public:
    virtual ~Objective() = default;
    virtual std::string name() const = 0;
    //! Whether items are pairs (rankings), so that correct and margin mean something.
    virtual bool pairs() const = 0;
    //! Outputs of its reward head (regression: labels of a row).
    virtual std::int64_t outputs(const ItemSet& /*set*/) const { return 1; }
    //! Names of StepSums::means that are logged.
    virtual std::vector<std::string> metric_names() const { return {}; }
    virtual bool needs_reference() const { return false; }
    virtual void set_reference(std::unique_ptr<ReferenceModel> /*reference*/) {}
    //! Throws Error naming the first item that this objective cannot use.
    virtual void check(const ItemSet& set) const = 0;
    //! Adds d(scale · Σ loss)/d(parameters) into the flat gradient. `ready` only on the rank's last micro-batch of a step.
    //! REQUIRES: at least one item.
    virtual PendingSums accumulate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items, double scale,
                                   at::Tensor gradient, const Decoder::GradientReady& ready) = 0;
    //! Loss and metrics without gradients.
    virtual PendingSums evaluate(const Decoder& decoder, const ItemSet& set, std::span<const std::int64_t> items) = 0;
    //! Weight of an item in the step's mean: 1, its predicted tokens (lm, sft) or its labels (known before the forward pass, so
    //! that the scale is the same on every rank).
    virtual double item_weight(const ItemSet& set, std::int64_t item) const = 0;
};

//! How a reward head reads its texts.
struct RewardHeadOptions {
    Pooling pooling = Pooling::last;
    bool share_prefix = true;
};

//! What a pair's margin m (of the data) does to its loss -log σ(d), d = r_chosen - r_rejected:
//!     subtract           -log σ(d - m)      TRL, Llama 2; a pair without margin counts as m = 0
//!     scale_loss         -m · log σ(d)      NeMo's scaled Bradley-Terry
//!     scale_difference   -log σ(m · d)
enum class MarginUse { none, subtract, scale_loss, scale_difference };
MarginUse parse_margin_use(const std::string& name);  //!< throws Error(usage)

struct BradleyTerryOptions {
    RewardHeadOptions head = {};
    MarginUse margin = MarginUse::subtract;
    double label_smoothing = 0.0;  //!< ε: the share of pairs taken to be labelled the wrong way round
    double center_coefficient = 0.0;
    double lm_coefficient = 0.0;  //!< needs an LM head beside the reward head (or tied embeddings)
};

//! With x the difference after its margin: -(1-ε)·log σ(x) - ε·log σ(-x) + c·(r_chosen + r_rejected)², as TRL's RewardTrainer, +
//! lm_coefficient · mean over the chosen answer's tokens (those of the completion; never the first of the text) of their cross
//! entropy. Head and losses in fp32 or better.
std::unique_ptr<Objective> make_bradley_terry(const BradleyTerryOptions& options);

//! Plackett-Luce: Σ over answers i of -log(e^{r_i} / (e^{r_i} + Σ_{j ranked behind i} e^{r_j})). Answers of equal rank are not
//! compared. Of two answers it is Bradley-Terry. accuracy: items whose best answers all score above all others.
std::unique_ptr<Objective> make_plackett_luce(const RewardHeadOptions& options);

//! Mean squared error over the labels that are known; a label an output of the head.
std::unique_ptr<Objective> make_regression(const RewardHeadOptions& options);

//! Next-token cross entropy, mean over predicted tokens of the step; every token of a document but its first is predicted.
std::unique_ptr<Objective> make_language_model();

//! Next-token cross entropy of responses: the tokens of the completion are predicted. Metrics as TRL's SFTTrainer: entropy,
//! mean_token_accuracy.
std::unique_ptr<Objective> make_sft();

//! With x = β·((log π/π₀)(chosen) - (log π/π₀)(rejected)), sums over the tokens of the completions (all that follows the common
//! turns):
//!     sigmoid   -(1-ε)·log σ(x) - ε·log σ(-x)                 (TRL 1.16 leaves ε out here)
//!     robust    (-(1-ε)·log σ(x) + ε·log σ(-x)) / (1-2ε)      unbiased where a share ε of the labels is wrong; TRL's name
//!     hinge     max(0, 1 - x)
//!     ipo       (y - 1/(2β))², y the same difference without β and of means over tokens
enum class DpoLoss { sigmoid, robust, hinge, ipo };
DpoLoss parse_dpo_loss(const std::string& name);  //!< throws Error(usage)

struct DpoOptions {
    DpoLoss loss = DpoLoss::sigmoid;
    double beta = 0.1;
    double label_smoothing = 0.0;  //!< sigmoid, robust
    bool share_prefix = true;
};

//! Metrics as TRL's DPOTrainer: rewards/chosen, rewards/rejected, rewards/accuracies, rewards/margins, logps/…, logits/…,
//! entropy, mean_token_accuracy (of chosen answers). REQUIRES: set_reference before accumulate and evaluate.
std::unique_ptr<Objective> make_dpo(const DpoOptions& options);

}  // namespace xlrm
