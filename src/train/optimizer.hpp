#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "training_model.hpp"
#include "xlrm/comm/communicator.hpp"
#include "xlrm/train/checkpoint.hpp"

namespace xlrm {

//! The values of a contiguous fp32 tensor, where they lie.
std::span<float> floats(const at::Tensor& tensor);

//! AdamW over the flat buffers, decay on the tensors that the layout names. With options.zero = 1 each rank keeps the moments,
//! and with bf16 compute the master weights, of its own block of the buffer alone, updates that, and hands its block of the new
//! weights to the others: the 16 (bf16: 18) bytes a parameter become 8 + 8/n (6 + 12/n). The arithmetic of an element is the same
//! either way, and so are its bits.
class Optimizer {
public:
    //! Takes over model.weights: the rank's block of it where it is divided. `group` and `model` must outlive the optimiser.
    Optimizer(const Communicator& group, TrainingModel& model, const TrainOptions& options);

    //! Norm of a whole buffer; waits for the device.
    static double norm(const at::Tensor& buffer);
    //! Collective. Step `step` (from 1) with the rate `lr`, the gradient clipped to options.clip by its `norm` as
    //! torch.nn.utils.clip_grad_norm_ does, and left zero.
    void step(std::int64_t step, double lr, double norm, const at::Tensor& gradient);

    struct State {
        at::Tensor weights, first, second;  //!< fp32 [total] on the host; the root's alone
        RunBuffers buffers() const { return {floats(weights), floats(first), floats(second)}; }
    };
    //! Collective. The whole state, on the root; other ranks may get less.
    State gathered() const;
    //! Collective. Likewise the master weights.
    at::Tensor gathered_weights() const { return gather(model_.weights); }
    //! Buffers for a state to be read into, on the root: the optimiser's own where nothing is divided.
    State blank() const;
    //! Collective. Takes the root's state over.
    void restore(const State& state);

private:
    struct Part {
        std::int64_t begin, count;
        bool decay;
    };
    //! Collective. On the host, whole on the root.
    at::Tensor gather(const at::Tensor& mine) const;
    //! Collective. Gives each rank its part of what the root has on the host; returns the whole, on the host.
    at::Tensor scatter(const at::Tensor& whole, const at::Tensor& mine) const;
    void share_weights() const;
    Range block(int rank) const;

    const Communicator& group_;
    TrainingModel& model_;
    const bool divided_;
    const std::int64_t total_;
    Range mine_;                 //!< elements that this rank updates
    at::Tensor first_, second_;  //!< AdamW's moments, fp32 [mine]
    std::vector<Part> parts_;
    double beta1_, beta2_, eps_, weight_decay_, clip_;
};

}  // namespace xlrm
