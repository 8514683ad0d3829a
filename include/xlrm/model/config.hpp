#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"
#include "xlrm/ops/gated_activation.hpp"
#include "xlrm/ops/rms_norm.hpp"
#include "xlrm/ops/rope.hpp"

namespace xlrm {

//! A decoder's shape and switches, read from Hugging Face's config.json. One decoder with options, not one a family.
struct ModelConfig {
    std::string family = "llama";  //!< model_type: llama, mistral, qwen2, qwen3 or gemma2
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
    bool qkv_bias = false;  //!< Qwen2; attention_bias of the other families sets output_bias too
    bool output_bias = false;
    bool mlp_bias = false;
    bool tied_embeddings = false;
    bool qk_norm = false;            //!< Qwen3: each query and key head is normalised before its rotation
    bool post_norms = false;         //!< Gemma-2: attention's and the MLP's contributions are normalised before they are added
    bool scaled_embeddings = false;  //!< Gemma-2: embeddings times sqrt(hidden)
    NormWeight norm_weight = NormWeight::plain;
    double attention_scale = 0.0;       //!< on q·k: head_dim^-1/2, or query_pre_attn_scalar^-1/2
    double attention_soft_cap = 0.0;    //!< 0: none
    double logit_soft_cap = 0.0;        //!< of the LM head; 0: none. A reward head has none
    std::vector<std::int64_t> windows;  //!< of each layer: tokens that a token sees, itself included; 0: all before it
    Activation activation = Activation::silu;
    double initializer_range = 0.02;
    std::optional<std::int32_t> bos, eos, pad;
    bool pad_added = false;  //!< by add_pad_token: save_model writes [PAD] = pad into the tokenizer's files
    Json raw;                //!< config.json as read; keys that xlrm does not use are kept on save

    //! Parameters of the blocks and the final norm, without embeddings and heads.
    std::int64_t body_parameters() const;
};

//! Throws Error naming file and key: a family or an option that is not supported, a missing or impossible value.
ModelConfig read_model_config(const std::filesystem::path& file);
ModelConfig parse_model_config(const Json& json, const std::string& what);

}  // namespace xlrm
