#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/core/partition.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! ATen's name of a number format.
at::ScalarType scalar_type(DType dtype);

//! none: a body alone; reward: score.weight [labels, d]; lm: lm_head.weight [V, d], or the tied embedding.
enum class HeadKind { none, reward, lm };

//! The reward head's name, as transformers' classifiers have it.
inline constexpr const char* kScoreWeight = "score.weight";

//! One tensor of the model within the flat buffers, under Hugging Face's name.
struct ParameterInfo {
    std::string name;  //!< "model.layers.3.self_attn.q_proj.weight"
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;  //!< elements from the start of the flat buffer
    std::int64_t elements = 0;
    bool decay = true;  //!< false for norms and biases, as transformers groups them
};

//! Names, shapes and places of all tensors of a model, in the order of use: embedding, layers, final norm, head. Within a layer
//! the q, k, v weights are adjacent without gaps (so are their biases, and the gate and up weights): merged products are views.
struct ParameterLayout {
    std::vector<ParameterInfo> tensors;
    std::int64_t total = 0;
    const ParameterInfo& find(const std::string& name) const;  //!< throws Error
    bool contains(const std::string& name) const;
    Range layer_range(std::int64_t layer) const;  //!< elements of block `layer`
};
ParameterLayout make_layout(const ModelConfig& config, HeadKind head, std::int64_t labels = 1);

//! Weights in one flat buffer of the compute dtype (fp32, bf16, fp64), on the device that computes; training keeps its fp32
//! masters beside it.
struct Parameters {
    ParameterLayout layout;
    at::Tensor flat;  //!< [total]

    at::Tensor view(const std::string& name) const { return view_of(flat, name); }
    //! The shaped part of another flat buffer of the same layout (a gradient).
    at::Tensor view_of(const at::Tensor& buffer, const std::string& name) const;
    //! One view over the adjacent tensors first … last: [sum of rows, columns] (weights) or [sum] (biases).
    at::Tensor merged(const at::Tensor& buffer, const std::string& first, const std::string& last) const;
};

//! Fresh weights as transformers initialises: N(0, initializer_range) for matrices, 1 for norms (0 for Gemma's), 0 for biases and
//! for the pad token's embedding; each tensor from its own stream of `seed`. The reward head is initialised by init_reward_head.
Parameters init_parameters(const ModelConfig& config, HeadKind head, std::uint64_t seed, at::ScalarType dtype,
                           at::Device device = at::kCPU);

//! How a new reward head begins: "paper" = N(0, 1/sqrt(d + 1)), "hf" = N(0, 0.02), "zero". Throws Error(usage) otherwise.
void init_reward_head(Parameters& parameters, const ModelConfig& config, const std::string& kind, std::uint64_t seed);

}  // namespace xlrm
