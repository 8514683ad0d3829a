#include "xlrm/model/config.hpp"

#include <cmath>

#include "config_reader.hpp"

namespace xlrm {
namespace {

Family parse_family(const ConfigReader& reader) {
    reader.require_key("model_type");
    const std::string name = reader.text("model_type");
    if (name == "llama") return Family::llama;
    if (name == "mistral") return Family::mistral;
    if (name == "qwen2") return Family::qwen2;
    if (name == "qwen3") return Family::qwen3;
    if (name == "gemma2") return Family::gemma2;
    fail(reader.what() + ": model_type '" + name +
         "' is not supported (its weights would be read with another model's arithmetic); " + "supported are llama, mistral, qwen2, qwen3 and gemma2");
}

// transformers reads hidden_activation for Gemma-2, whose files also have a hidden_act.
Activation parse_activation(const ConfigReader& reader, Family family) {
    const bool gemma = family == Family::gemma2;
    const std::string key = gemma ? "hidden_activation" : "hidden_act";
    const std::string name = reader.text(key, gemma ? "gelu_pytorch_tanh" : "silu");
    if (name == "silu" || name == "swish") return Activation::silu;
    if (name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    reader.bad(key, "silu or gelu_pytorch_tanh");
}

void parse_scaling(const ConfigReader& scaling, RopeConfig& rope) {
    const std::string type = scaling.text("rope_type", scaling.text("type", "default"));
    if (type == "default") return;
    scaling.require_key("factor");
    rope.factor = scaling.number("factor", 1.0);
    if (!(rope.factor > 0)) scaling.bad("factor", "a positive number");
    if (type == "linear") {
        rope.scaling = RopeConfig::Scaling::linear;
        return;
    }
    if (type != "llama3") {
        fail(scaling.what() + ": rope type '" + type + "' is not supported (positions would be rotated wrongly); " +
             "supported are default, linear and llama3");
    }
    rope.scaling = RopeConfig::Scaling::llama3;
    for (const char* key : {"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) scaling.require_key(key);
    rope.low_freq_factor = scaling.number("low_freq_factor", 1.0);
    rope.high_freq_factor = scaling.number("high_freq_factor", 4.0);
    rope.original_max_position = scaling.number("original_max_position_embeddings", 8192.0);
    if (!(rope.high_freq_factor > rope.low_freq_factor)) scaling.bad("high_freq_factor", "more than low_freq_factor");
}

// transformers 5 writes rope_parameters {rope_theta, rope_type, …}; earlier releases rope_theta and rope_scaling.
RopeConfig parse_rope(const ConfigReader& reader) {
    RopeConfig rope;
    rope.theta = reader.number("rope_theta", 10000.0);
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
        if (!reader.has(key)) continue;
        const ConfigReader scaling(reader.object(key), reader.what() + ": " + key);
        rope.theta = scaling.number("rope_theta", rope.theta);
        parse_scaling(scaling, rope);
    }
    if (!(rope.theta > 0))
        fail(reader.what() + ": rope_theta is not positive (it is the base of the rotary frequencies); correct it");
    if (reader.number("partial_rotary_factor", 1.0) != 1.0)
        reader.bad("partial_rotary_factor", "1: partial rotation is not supported");
    return rope;
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
        if (types[l] != "full_attention" && types[l] != "sliding_attention")
            reader.bad("layer_types", "full_attention or sliding_attention: other kinds are not supported");
        out[l] = types[l] == "sliding_attention";
    }
    return out;
}

// The window that the family's configuration gives its sliding layers; 0: none.
std::int64_t window_size(const ConfigReader& reader, Family family) {
    const bool switched = family == Family::qwen2 || family == Family::qwen3;
    if (family == Family::llama || (switched && !reader.flag("use_sliding_window", false))) return 0;
    if (!reader.present("sliding_window")) return 4096;
    return reader.has("sliding_window") ? reader.positive("sliding_window") : 0;
}

std::vector<std::int64_t> parse_windows(const ConfigReader& reader, const Json& json, const ModelConfig& config) {
    const std::int64_t window = window_size(reader, config.family);
    const std::int64_t first = reader.integer("max_window_layers", 28);
    const auto otherwise = [&](std::int64_t layer) {
        if (config.family == Family::gemma2) return layer % 2 == 0;
        return window > 0 && (config.family == Family::mistral || layer >= first);
    };
    std::vector<std::int64_t> out;
    for (const bool slides : sliding_layers(reader, json, config.layers, otherwise)) {
        // Mistral has one window for all layers, and transformers reads no layer_types for it.
        const bool odd = slides ? window == 0 : config.family == Family::mistral && window > 0;
        if (odd && reader.has("layer_types")) reader.bad("layer_types", "what sliding_window and use_sliding_window say");
        if (odd) reader.bad("sliding_window", "a window: the model's sliding layers need one");
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
    if (!(config.norm_eps > 0))
        fail(what + ": rms_norm_eps is not positive (a zero row would be divided by zero); correct the file");
}

void check_tokens(const ModelConfig& config, const std::string& what) {
    const std::pair<const char*, std::optional<std::int32_t>> ids[] = {
        {"bos_token_id", config.bos}, {"eos_token_id", config.eos}, {"pad_token_id", config.pad}};
    for (const auto& [key, id] : ids) {
        if (id && *id >= config.vocab_size) {
            fail(what + ": '" + key + "' is " + std::to_string(*id) + " (vocab_size is " + std::to_string(config.vocab_size) +
                 "); correct the file");
        }
    }
}

// What transformers assumes for a key that is absent; null has a meaning of its own.
std::int64_t parse_kv_heads(const ConfigReader& reader, const ModelConfig& config) {
    if (reader.has("num_key_value_heads")) return reader.positive("num_key_value_heads");
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
    if (reader.has("head_dim")) return reader.positive("head_dim");
    if (config.family == Family::gemma2) return 256;
    if (config.family == Family::qwen3 && !reader.present("head_dim")) return 128;
    if (config.hidden % config.heads != 0)
        reader.bad("hidden_size", "a multiple of num_attention_heads where head_dim is absent");
    return config.hidden / config.heads;
}

double parse_soft_cap(const ConfigReader& reader, const std::string& key, double otherwise) {
    if (!reader.has(key)) return reader.present(key) ? 0.0 : otherwise;
    const double cap = reader.number(key, otherwise);
    if (!(cap > 0)) reader.bad(key, "a positive number or null");
    return cap;
}

void parse_gemma2(const ConfigReader& reader, ModelConfig& config) {
    config.post_norms = config.scaled_embeddings = true;
    config.norm_weight = NormWeight::one_plus;
    const double scalar = reader.number("query_pre_attn_scalar", 256.0);
    if (!(scalar > 0)) reader.bad("query_pre_attn_scalar", "a positive number");
    config.attention_scale = 1.0 / std::sqrt(scalar);
    config.attention_soft_cap = parse_soft_cap(reader, "attn_logit_softcapping", 50.0);
    config.logit_soft_cap = parse_soft_cap(reader, "final_logit_softcapping", 30.0);
    if (reader.flag("use_bidirectional_attention", false))
        reader.bad("use_bidirectional_attention", "false: attention to later tokens is not supported");
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
    config.vocab_size = reader.positive("vocab_size");
    config.hidden = reader.positive("hidden_size");
    config.layers = reader.positive("num_hidden_layers");
    config.heads = reader.positive("num_attention_heads");
    config.kv_heads = parse_kv_heads(reader, config);
    config.head_dim = parse_head_dim(reader, config);
    config.intermediate = reader.positive("intermediate_size");
    config.max_positions = reader.positive("max_position_embeddings");
    config.norm_eps = reader.number("rms_norm_eps", 1e-6);
    config.rope = parse_rope(reader);
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
    config.windows = parse_windows(reader, json, config);
    parse_tokens(reader, config);
    check_shape(config, what);
    check_tokens(config, what);
    return config;
}

ModelConfig read_model_config(const std::filesystem::path& file) { return parse_model_config(read_json(file), file.string()); }

}  // namespace xlrm
