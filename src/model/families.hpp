#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config_reader.hpp"
#include "xlrm/model/config.hpp"

namespace xlrm {

//! Which layers slide a window where config.json has no layer_types, and what turns the windows on.
enum class WindowRule {
    none,       //!< no layer, whatever the file says
    every,      //!< all layers, where sliding_window is a number
    switched,   //!< layers from max_window_layers on, where use_sliding_window is true
    alternate,  //!< every other layer, the first one included
};

//! Which of the attention's projections have a bias.
enum class AttentionBias { none, qkv, by_file };  // by_file: all four, where attention_bias is true

//! What sets a family apart: what transformers' configuration class of it assumes for keys that config.json lacks, and which
//! parts of the decoder it has.
struct FamilyRules {
    const char* model_type;  //!< in config.json
    const char* class_stem;  //!< of transformers' classes: "Llama" of LlamaForCausalLM
    std::optional<std::int32_t> bos, eos, pad;
    std::int64_t kv_heads = 0;  //!< 0: as many as heads
    std::int64_t head_dim = 0;  //!< 0: hidden / heads
    const char* activation_key = "hidden_act";
    const char* activation = "silu";
    AttentionBias attention_bias = AttentionBias::by_file;
    bool mlp_bias = false;  //!< whether the file's mlp_bias counts
    bool qk_norm = false;
    bool tied_embeddings = false;
    WindowRule windows = WindowRule::none;
    //! Keys of its own, read after those that all families share.
    void (*own_keys)(const ConfigReader& reader, ModelConfig& config) = nullptr;
};

//! All families; a new one is a new entry.
const std::vector<FamilyRules>& families();

//! REQUIRES: `model_type` of an entry (parse_model_config saw to it).
const FamilyRules& family_rules(const std::string& model_type);

//! The entry that model_type names. Throws Error naming the file and the families there are.
const FamilyRules& parse_family(const ConfigReader& reader);

}  // namespace xlrm
