#include "xlrm/model/config.hpp"

#include "config_reader.hpp"

namespace xlrm {
namespace {

Family parse_family(const ConfigReader& reader) {
    reader.require_key("model_type");
    const std::string name = reader.text("model_type");
    if (name == "llama") return Family::llama;
    if (name == "qwen2") return Family::qwen2;
    fail(reader.what() + ": model_type '" + name +
         "' is not supported (its weights would be read with another model's arithmetic); " + "supported are llama and qwen2");
}

Activation parse_activation(const ConfigReader& reader) {
    const std::string name = reader.text("hidden_act", "silu");
    if (name == "silu" || name == "swish") return Activation::silu;
    if (name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
    reader.bad("hidden_act", "silu or gelu_pytorch_tanh");
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

void refuse_windows(const ConfigReader& reader, const Json& json) {
    if (reader.flag("use_sliding_window", false)) reader.bad("use_sliding_window", "false: sliding windows are not supported");
    if (!reader.has("layer_types")) return;
    for (const Json& type : json.at("layer_types")) {
        if (type != "full_attention") reader.bad("layer_types", "full_attention everywhere: other kinds are not supported");
    }
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

}  // namespace

std::int64_t ModelConfig::body_parameters() const {
    const std::int64_t q = heads * head_dim;
    const std::int64_t kv = kv_heads * head_dim;
    std::int64_t block = hidden * (q + 2 * kv) + q * hidden + 3 * hidden * intermediate + 2 * hidden;
    if (qkv_bias) block += q + 2 * kv;
    if (output_bias) block += hidden;
    if (mlp_bias) block += 2 * intermediate + hidden;
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
    config.kv_heads = reader.has("num_key_value_heads") ? reader.positive("num_key_value_heads") : config.heads;
    if (reader.has("head_dim")) {
        config.head_dim = reader.positive("head_dim");
    } else {
        if (config.hidden % config.heads != 0)
            reader.bad("hidden_size", "a multiple of num_attention_heads where head_dim is absent");
        config.head_dim = config.hidden / config.heads;
    }
    config.intermediate = reader.positive("intermediate_size");
    config.max_positions = reader.positive("max_position_embeddings");
    config.norm_eps = reader.number("rms_norm_eps", 1e-6);
    config.rope = parse_rope(reader);
    const bool llama = config.family == Family::llama;
    config.qkv_bias = llama ? reader.flag("attention_bias", false) : true;
    config.output_bias = llama && config.qkv_bias;
    config.mlp_bias = llama && reader.flag("mlp_bias", false);
    config.tied_embeddings = reader.flag("tie_word_embeddings", false);
    config.activation = parse_activation(reader);
    config.initializer_range = reader.number("initializer_range", 0.02);
    // What transformers assumes where the keys are absent.
    config.bos = reader.token("bos_token_id", llama ? std::optional<std::int32_t>(1) : std::nullopt);
    config.eos = reader.token("eos_token_id", llama ? std::optional<std::int32_t>(2) : std::nullopt);
    config.pad = reader.token("pad_token_id");
    refuse_windows(reader, json);
    check_shape(config, what);
    check_tokens(config, what);
    return config;
}

ModelConfig read_model_config(const std::filesystem::path& file) { return parse_model_config(read_json(file), file.string()); }

}  // namespace xlrm
