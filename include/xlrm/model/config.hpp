#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "xlrm/core/json.hpp"
#include "xlrm/ops/gated_activation.hpp"
#include "xlrm/ops/rope.hpp"

namespace xlrm {

enum class Family { llama, mistral, qwen2, qwen3, gemma2 };

//! A decoder's shape and switches, read from Hugging Face's config.json. One decoder with options, not one a family.
struct ModelConfig {
    Family family = Family::llama;
    std::int64_t vocab_size = 0;
    std::int64_t hidden = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    std::int64_t intermediate = 0;
    std::int64_t max_positions = 0;
    double norm_eps = 1e-6;
    RopeConfig rope;
    bool qkv_bias = false;  //!< Qwen2; Llama's attention_bias sets output_bias too
    bool output_bias = false;
    bool mlp_bias = false;
    bool tied_embeddings = false;
    Activation activation = Activation::silu;
    double initializer_range = 0.02;
    std::optional<std::int32_t> bos, eos, pad;
    Json raw;  //!< config.json as read; keys that xlrm does not use are kept on save

    //! Parameters of the blocks and the final norm, without embeddings and heads.
    std::int64_t body_parameters() const;
};

//! Throws Error naming file and key: a family or an option that is not supported, a missing or impossible value.
ModelConfig read_model_config(const std::filesystem::path& file);
ModelConfig parse_model_config(const Json& json, const std::string& what);

}  // namespace xlrm
