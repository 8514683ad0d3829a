#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "training_model.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! Low-rank adaptation (Hu et al. 2022): W = W₀ + s·B·A, s = alpha / rank, for the target matrices of every block; what is
//! trained are A [rank, in], B [out, rank] and a reward head. The model computes with W itself, so forward and backward are those
//! of full training, and from its gradient dW follow dB = s·dW·Aᵀ and dA = s·Bᵀ·dW. A begins uniform in ±1/√in and B zero, as in
//! peft; the optimiser keeps its state, and ranks reduce the gradients, of A, B and head alone.
class LoraAdapters {
public:
    //! Freezes `model`, which must stay where it is. Throws Error(usage) for a target that the model lacks.
    LoraAdapters(TrainingModel& model, const TrainOptions& options);

    //! A, B and head, fp32: what the optimiser updates.
    TrainingModel& trained() { return trained_; }
    //! The model's gradient, fp32 [total], to that of trained().
    void project(const at::Tensor& gradient, const at::Tensor& trained_gradient) const;
    //! Takes trained() over into the weights that compute.
    void merge() const;
    //! fp32 [total] of the merged model, for `weights` of trained().
    at::Tensor merged(const at::Tensor& trained_weights) const;
    //! Writes the adapter as peft reads it: adapter_config.json and adapter_model.safetensors.
    void save(const std::filesystem::path& folder, const at::Tensor& trained_weights) const;

private:
    struct Target {
        ParameterInfo matrix;  //!< W in the model
        ParameterInfo a, b;    //!< in trained()
    };
    void add(const ParameterInfo& matrix);
    void initialise(std::uint64_t seed);
    at::Tensor product(const Target& target, const at::Tensor& trained_weights) const;

    TrainingModel& model_;
    const TrainOptions& options_;
    const double scale_;
    std::vector<Target> targets_;
    TrainingModel trained_;
    at::Tensor frozen_;  //!< fp32 [total]: W₀
};

}  // namespace xlrm
