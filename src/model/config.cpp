#include "xlrm/model/config.hpp"

#include <cmath>
#include <sstream>

#include "config_reader.hpp"
#include "rope_reader.hpp"
#include "xlrm/core/settings_file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

// Far above every model that there is, and small enough that no product below overflows.
constexpr std::int64_t kMostTokens = std::int64_t{1} << 28U;  // of a vocabulary
constexpr std::int64_t kMostWidth = std::int64_t{1} << 24U;   // hidden, intermediate
constexpr std::int64_t kMostLayers = std::int64_t{1} << 14U;
constexpr std::int64_t kMostHeads = std::int64_t{1} << 14U;
constexpr std::int64_t kMostHeadDim = std::int64_t{1} << 14U;
constexpr std::int64_t kMostPositions = std::int64_t{1} << 40U;  // of a text or a window
constexpr double kMostParameters = 1e14;

Family parse_family(const ConfigReader& reader) {
    reader.require_key("model_type");
    const std::string name = reader.text("model_type");
    if (name == "llama") return Family::llama;
    if (name == "mistral") return Family::mistral;
    if (name == "qwen2") return Family::qwen2;
    if (name == "qwen3") return Family::qwen3;
    if (name == "gemma2") return Family::gemma2;
    fail(reader.what() + ": model_type '" + name +
         "' is not supported (its weights would be read with another model's arithmetic); " +
         "supported are llama, mistral, qwen2, qwen3 and gemma2");
}

// transformers reads hidden_activation for Gemma-2, whose files also have a hidden_act.
Activation parse_activation(const ConfigReader& reader, Family family) {
    const bool gemma = family == Family::gemma2;
    const std::string key = gemma ? "hidden_activation" : "hidden_act";
    const std::string name = reader.text(key, gemma ? "gelu_pytorch_tanh" : "silu");
    if (name == "silu" || name == "swish") return Activation::silu;
    if (name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    reader.unsupported(key, "the MLP would compute another function", "silu and gelu_pytorch_tanh");
}

// Whether each layer slides its window, as layer_types says, or `otherwise`.
template <class Rule>
std::vector<bool> sliding_layers(const ConfigReader& reader, const Json& json, std::int64_t layers, Rule otherwise) {
    std::vector<bool> out;
    for (std::int64_t l = 0; l < layers; ++l) out.push_back(otherwise(l));
    if (!reader.has("layer_types")) return out;
    const Json& types = json.at("layer_types");
    if (!types.is_array() || static_cast<std::int64_t>(types.size()) != layers) reader.bad("layer_types", "one name a layer");
    for (std::size_t l = 0; l < out.size(); ++l) {
        if (types[l] != "full_attention" && types[l] != "sliding_attention") {
            reader.unsupported("layer_types", "it has " + ConfigReader::shown(types[l]), "full_attention and sliding_attention");
        }
        out[l] = types[l] == "sliding_attention";
    }
    return out;
}

// The window that the family's configuration gives its sliding layers; 0: none.
std::int64_t window_size(const ConfigReader& reader, Family family) {
    const bool switched = family == Family::qwen2 || family == Family::qwen3;
    if (family == Family::llama || (switched && !reader.flag("use_sliding_window", false))) return 0;
    if (!reader.present("sliding_window")) return 4096;
    return reader.has("sliding_window") ? reader.size("sliding_window", kMostPositions) : 0;
}

std::vector<std::int64_t> parse_windows(const ConfigReader& reader, const Json& json, const ModelConfig& config) {
    const std::int64_t window = window_size(reader, config.family);
    const std::int64_t first = reader.has("max_window_layers") ? reader.integer("max_window_layers", 0, kMostLayers) : 28;
    const auto otherwise = [&](std::int64_t layer) {
        if (config.family == Family::gemma2) return layer % 2 == 0;
        return window > 0 && (config.family == Family::mistral || layer >= first);
    };
    std::vector<std::int64_t> out;
    for (const bool slides : sliding_layers(reader, json, config.layers, otherwise)) {
        // Mistral has one window for all layers, and transformers reads no layer_types for it.
        const bool odd = slides ? window == 0 : config.family == Family::mistral && window > 0;
        if (odd && reader.has("layer_types")) reader.bad("layer_types", "what sliding_window and use_sliding_window say");
        if (odd) fail(reader.what() + ": 'sliding_window' is null (the model's sliding layers need a window); give it");
        out.push_back(slides ? window : 0);
    }
    return out;
}

void check_shape(const ModelConfig& config, const std::string& what) {
    if (config.heads % config.kv_heads != 0) {
        fail(what + ": num_attention_heads " + std::to_string(config.heads) + " is not a multiple of num_key_value_heads " +
             std::to_string(config.kv_heads) + " (each key head serves a whole group of query heads); correct the file");
    }
    if (config.head_dim % 2 != 0) {
        fail(what + ": head_dim " + std::to_string(config.head_dim) +
             " is odd (rotary embedding pairs its halves); correct the file");
    }
    // In floating point: the sizes are bounded, but their product is not.
    const double wide = static_cast<double>(config.hidden);
    const double attention = 2.0 * static_cast<double>(config.heads + config.kv_heads) * static_cast<double>(config.head_dim);
    const double block = wide * (attention + 3.0 * static_cast<double>(config.intermediate));
    const double parameters = static_cast<double>(config.layers) * block + 2.0 * wide * static_cast<double>(config.vocab_size);
    if (parameters > kMostParameters) {
        std::ostringstream text;
        text << what << ": its sizes make " << parameters
             << " parameters (more than any model has: one of them is wrong); correct the file";
        fail(text.str());
    }
}

void check_tokens(const ModelConfig& config, const std::string& what) {
    const std::pair<const char*, std::optional<std::int32_t>> ids[] = {
        {"bos_token_id", config.bos}, {"eos_token_id", config.eos}, {"pad_token_id", config.pad}};
    for (const auto& [key, id] : ids) {
        if (id && *id >= config.vocab_size) {
            fail(what + ": '" + key + "' is " + std::to_string(*id) + " (vocab_size is " + std::to_string(config.vocab_size) +
                 ", so that it has no embedding); correct the file");
        }
    }
}

// What transformers assumes for a key that is absent; null has a meaning of its own.
std::int64_t parse_kv_heads(const ConfigReader& reader, const ModelConfig& config) {
    if (reader.has("num_key_value_heads")) return reader.size("num_key_value_heads", kMostHeads);
    if (reader.present("num_key_value_heads")) return config.heads;
    switch (config.family) {
        case Family::mistral:
            return 8;
        case Family::gemma2:
            return 4;
        case Family::qwen2:
        case Family::qwen3:
            return 32;
        case Family::llama:
            break;
    }
    return config.heads;
}

std::int64_t parse_head_dim(const ConfigReader& reader, const ModelConfig& config) {
    // Qwen2's attention has an own head size only where the file gives one, as the others'.
    if (reader.has("head_dim")) return reader.size("head_dim", kMostHeadDim);
    if (config.family == Family::gemma2) return 256;
    if (config.family == Family::qwen3 && !reader.present("head_dim")) return 128;
    if (config.hidden % config.heads != 0)
        reader.bad("hidden_size", "a multiple of num_attention_heads where head_dim is absent");
    return config.hidden / config.heads;
}

double parse_soft_cap(const ConfigReader& reader, const std::string& key, double otherwise) {
    if (!reader.has(key)) return reader.present(key) ? 0.0 : otherwise;
    return reader.positive_number(key, otherwise);
}

void parse_gemma2(const ConfigReader& reader, ModelConfig& config) {
    config.post_norms = config.scaled_embeddings = true;
    config.norm_weight = NormWeight::one_plus;
    config.attention_scale = 1.0 / std::sqrt(reader.positive_number("query_pre_attn_scalar", 256.0));
    config.attention_soft_cap = parse_soft_cap(reader, "attn_logit_softcapping", 50.0);
    config.logit_soft_cap = parse_soft_cap(reader, "final_logit_softcapping", 30.0);
    if (reader.flag("use_bidirectional_attention", false))
        reader.unsupported("use_bidirectional_attention", "tokens would not see later ones", "false");
}

void parse_tokens(const ConfigReader& reader, ModelConfig& config) {
    using Id = std::optional<std::int32_t>;
    const bool gemma = config.family == Family::gemma2;
    const bool llama = config.family == Family::llama || config.family == Family::mistral;
    config.bos = reader.token("bos_token_id", gemma ? Id(2) : llama ? Id(1) : Id());
    config.eos = reader.token("eos_token_id", gemma ? Id(1) : llama ? Id(2) : Id());
    config.pad = reader.token("pad_token_id", gemma ? Id(0) : Id());
}

}  // namespace

std::int64_t ModelConfig::body_parameters() const {
    const std::int64_t q = heads * head_dim;
    const std::int64_t kv = kv_heads * head_dim;
    std::int64_t block = hidden * (q + 2 * kv) + q * hidden + 3 * hidden * intermediate + 2 * hidden;
    if (qkv_bias) block += q + 2 * kv;
    if (output_bias) block += hidden;
    if (mlp_bias) block += 2 * intermediate + hidden;
    if (qk_norm) block += 2 * head_dim;
    if (post_norms) block += 2 * hidden;
    return layers * block + hidden;
}

ModelConfig parse_model_config(const Json& json, const std::string& what) {
    const ConfigReader reader(json, what);
    ModelConfig config;
    config.raw = json;
    config.family = parse_family(reader);
    config.vocab_size = reader.size("vocab_size", kMostTokens);
    config.hidden = reader.size("hidden_size", kMostWidth);
    config.layers = reader.size("num_hidden_layers", kMostLayers);
    config.heads = reader.size("num_attention_heads", kMostHeads);
    config.kv_heads = parse_kv_heads(reader, config);
    config.head_dim = parse_head_dim(reader, config);
    config.intermediate = reader.size("intermediate_size", kMostWidth);
    config.max_positions = reader.size("max_position_embeddings", kMostPositions);
    config.norm_eps = reader.positive_number("rms_norm_eps", 1e-6);
    config.rope = parse_rope(reader, config.max_positions);
    const bool qwen2 = config.family == Family::qwen2;
    config.output_bias = !qwen2 && config.family != Family::mistral && reader.flag("attention_bias", false);
    config.qkv_bias = qwen2 || config.output_bias;
    config.mlp_bias = config.family == Family::llama && reader.flag("mlp_bias", false);
    config.qk_norm = config.family == Family::qwen3;
    config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
    if (config.family == Family::gemma2) parse_gemma2(reader, config);
    config.tied_embeddings = reader.flag("tie_word_embeddings", config.family == Family::gemma2);
    config.activation = parse_activation(reader, config.family);
    config.initializer_range = reader.number("initializer_range", 0.02);
    if (config.initializer_range < 0) reader.bad("initializer_range", "a standard deviation");
    config.windows = parse_windows(reader, json, config);
    parse_tokens(reader, config);
    check_shape(config, what);
    check_tokens(config, what);
    return config;
}

ModelConfig read_model_config(const fs::path& file) {
    if (!fs::exists(file) && fs::exists(file.parent_path() / "adapter_config.json")) {
        fail(file.parent_path().string() +
             ": an adapter (adapter_config.json) without the model that it changes; give a whole model: merge the two " +
             "(peft's merge_and_unload and save_pretrained). One that xlrm trained lies merged in the folder above");
    }
    return parse_model_config(read_settings(file), file.string());
}

}  // namespace xlrm
