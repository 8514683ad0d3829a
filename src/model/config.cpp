#include "xlrm/model/config.hpp"

#include <cmath>
#include <sstream>

#include "config_reader.hpp"
#include "families.hpp"
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

Activation parse_activation(const ConfigReader& reader, const FamilyRules& family) {
    const std::string name = reader.text(family.activation_key, family.activation);
    if (name == "silu" || name == "swish") return Activation::silu;
    if (name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    reader.unsupported(family.activation_key, "the MLP would compute another function", "silu and gelu_pytorch_tanh");
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

// The window of the layers that slide one; 0: none.
std::int64_t window_size(const ConfigReader& reader, WindowRule rule) {
    if (rule == WindowRule::none || (rule == WindowRule::switched && !reader.flag("use_sliding_window", false))) return 0;
    if (!reader.present("sliding_window")) return 4096;
    return reader.has("sliding_window") ? reader.size("sliding_window", kMostPositions) : 0;
}

std::vector<std::int64_t> parse_windows(const ConfigReader& reader, WindowRule rule, std::int64_t layers) {
    const std::int64_t window = window_size(reader, rule);
    const std::int64_t first = reader.has("max_window_layers") ? reader.integer("max_window_layers", 0, kMostLayers) : 28;
    const auto otherwise = [&](std::int64_t layer) {
        if (rule == WindowRule::alternate) return layer % 2 == 0;
        return window > 0 && (rule == WindowRule::every || layer >= first);
    };
    std::vector<std::int64_t> out;
    for (const bool slides : sliding_layers(reader, reader.json(), layers, otherwise)) {
        // Where every layer has the window, transformers reads no layer_types.
        const bool odd = slides ? window == 0 : rule == WindowRule::every && window > 0;
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
std::int64_t parse_kv_heads(const ConfigReader& reader, const FamilyRules& family, std::int64_t heads) {
    if (reader.has("num_key_value_heads")) return reader.size("num_key_value_heads", kMostHeads);
    return reader.present("num_key_value_heads") || family.kv_heads == 0 ? heads : family.kv_heads;
}

std::int64_t parse_head_dim(const ConfigReader& reader, const FamilyRules& family, const ModelConfig& config) {
    if (reader.has("head_dim")) return reader.size("head_dim", kMostHeadDim);
    if (family.head_dim > 0 && !reader.present("head_dim")) return family.head_dim;
    if (config.hidden % config.heads != 0)
        reader.bad("hidden_size", "a multiple of num_attention_heads where head_dim is absent");
    return config.hidden / config.heads;
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
    const FamilyRules& family = parse_family(reader);
    config.family = family.model_type;
    config.vocab_size = reader.size("vocab_size", kMostTokens);
    config.hidden = reader.size("hidden_size", kMostWidth);
    config.layers = reader.size("num_hidden_layers", kMostLayers);
    config.heads = reader.size("num_attention_heads", kMostHeads);
    config.kv_heads = parse_kv_heads(reader, family, config.heads);
    config.head_dim = parse_head_dim(reader, family, config);
    config.intermediate = reader.size("intermediate_size", kMostWidth);
    config.max_positions = reader.size("max_position_embeddings", kMostPositions);
    config.norm_eps = reader.positive_number("rms_norm_eps", 1e-6);
    config.rope = parse_rope(reader, config.max_positions);
    config.output_bias = family.attention_bias == AttentionBias::by_file && reader.flag("attention_bias", false);
    config.qkv_bias = family.attention_bias == AttentionBias::qkv || config.output_bias;
    config.mlp_bias = family.mlp_bias && reader.flag("mlp_bias", false);
    config.qk_norm = family.qk_norm;
    config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
    if (family.own_keys) family.own_keys(reader, config);
    config.tied_embeddings = reader.flag("tie_word_embeddings", family.tied_embeddings);
    config.activation = parse_activation(reader, family);
    config.initializer_range = reader.number("initializer_range", 0.02);
    if (config.initializer_range < 0) reader.bad("initializer_range", "a standard deviation");
    config.windows = parse_windows(reader, family.windows, config.layers);
    config.bos = reader.token("bos_token_id", family.bos);
    config.eos = reader.token("eos_token_id", family.eos);
    config.pad = reader.token("pad_token_id", family.pad);
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
