#include "families.hpp"

#include <cassert>
#include <cmath>

namespace xlrm {
namespace {

double soft_cap(const ConfigReader& reader, const std::string& key, double otherwise) {
    if (!reader.has(key)) return reader.present(key) ? 0.0 : otherwise;
    return reader.positive_number(key, otherwise);
}

void gemma2_keys(const ConfigReader& reader, ModelConfig& config) {
    config.post_norms = config.scaled_embeddings = true;
    config.norm_weight = NormWeight::one_plus;
    config.attention_scale = 1.0 / std::sqrt(reader.positive_number("query_pre_attn_scalar", 256.0));
    config.attention_soft_cap = soft_cap(reader, "attn_logit_softcapping", 50.0);
    config.logit_soft_cap = soft_cap(reader, "final_logit_softcapping", 30.0);
    if (reader.flag("use_bidirectional_attention", false))
        reader.unsupported("use_bidirectional_attention", "tokens would not see later ones", "false");
}

const FamilyRules* find_family(const std::string& model_type) {
    for (const FamilyRules& family : families())
        if (family.model_type == model_type) return &family;
    return nullptr;
}

}  // namespace

// Defaults: LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config and Gemma2Config of transformers 5.23.
const std::vector<FamilyRules>& families() {
    static const std::vector<FamilyRules> table = {
        {.model_type = "llama", .class_stem = "Llama", .bos = 1, .eos = 2, .pad = {}, .mlp_bias = true},
        {.model_type = "mistral",
         .class_stem = "Mistral",
         .bos = 1,
         .eos = 2,
         .pad = {},
         .kv_heads = 8,
         .attention_bias = AttentionBias::none,
         .windows = WindowRule::every},
        {.model_type = "qwen2",
         .class_stem = "Qwen2",
         .bos = {},
         .eos = {},
         .pad = {},
         .kv_heads = 32,
         .attention_bias = AttentionBias::qkv,
         .windows = WindowRule::switched},
        {.model_type = "qwen3",
         .class_stem = "Qwen3",
         .bos = {},
         .eos = {},
         .pad = {},
         .kv_heads = 32,
         .head_dim = 128,
         .qk_norm = true,
         .windows = WindowRule::switched},
        // transformers reads hidden_activation for Gemma-2, whose files also have a hidden_act.
        {.model_type = "gemma2",
         .class_stem = "Gemma2",
         .bos = 2,
         .eos = 1,
         .pad = 0,
         .kv_heads = 4,
         .head_dim = 256,
         .activation_key = "hidden_activation",
         .activation = "gelu_pytorch_tanh",
         .tied_embeddings = true,
         .windows = WindowRule::alternate,
         .own_keys = gemma2_keys},
    };
    return table;
}

const FamilyRules& family_rules(const std::string& model_type) {
    const FamilyRules* const family = find_family(model_type);
    assert(family);
    return *family;
}

const FamilyRules& parse_family(const ConfigReader& reader) {
    reader.require_key("model_type");
    const std::string name = reader.text("model_type");
    if (const FamilyRules* const family = find_family(name)) return *family;
    std::string known;
    for (const FamilyRules& family : families()) known += (known.empty() ? "" : ", ") + std::string(family.model_type);
    fail(reader.what() + ": model_type '" + name +
         "' is not supported (its weights would be read with another model's arithmetic); supported are " + known);
}

}  // namespace xlrm
