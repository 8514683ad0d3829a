#include "xlrm/model/config.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"

namespace {

using xlrm::Json;
using xlrm::ModelConfig;

Json llama() {
    return Json{
        {"model_type", "llama"},    {"vocab_size", 100},        {"hidden_size", 64},       {"num_hidden_layers", 3},
        {"num_attention_heads", 8}, {"num_key_value_heads", 2}, {"intermediate_size", 96}, {"max_position_embeddings", 128}};
}

std::string error_of(const Json& json) {
    try {
        xlrm::parse_model_config(json, "config.json");
    } catch (const xlrm::Error& error) {
        return error.what();
    }
    return "";
}

TEST(Config, AssumesWhatTransformersAssumes) {
    const ModelConfig config = xlrm::parse_model_config(llama(), "config.json");
    EXPECT_EQ(config.head_dim, 8);
    EXPECT_EQ(config.norm_eps, 1e-6);
    EXPECT_EQ(config.rope.theta, 10000.0);
    EXPECT_FALSE(config.tied_embeddings);
    EXPECT_FALSE(config.qkv_bias);
    EXPECT_EQ(config.bos, 1);
    EXPECT_EQ(config.eos, 2);
    EXPECT_FALSE(config.pad.has_value());
}

TEST(Config, Qwen2HasBiasesOnQueryKeyValueOnly) {
    Json json = llama();
    json["model_type"] = "qwen2";
    json["use_sliding_window"] = false;
    json["sliding_window"] = 4096;
    const ModelConfig config = xlrm::parse_model_config(json, "config.json");
    EXPECT_TRUE(config.qkv_bias);
    EXPECT_FALSE(config.output_bias);
    EXPECT_FALSE(config.bos.has_value());
}

TEST(Config, WindowsOfTheLayers) {
    using Windows = std::vector<std::int64_t>;
    const auto windows = [](Json json) { return xlrm::parse_model_config(json, "config.json").windows; };
    Json json = llama();
    json["sliding_window"] = 7;
    EXPECT_EQ(windows(json), Windows({0, 0, 0}));
    json["model_type"] = "mistral";
    EXPECT_EQ(windows(json), Windows({7, 7, 7}));
    json["sliding_window"] = nullptr;
    EXPECT_EQ(windows(json), Windows({0, 0, 0}));
    json.erase("sliding_window");
    EXPECT_EQ(windows(json), Windows({4096, 4096, 4096}));
    for (const char* qwen : {"qwen2", "qwen3"}) {
        json["model_type"] = qwen;
        json["sliding_window"] = 7;
        json["max_window_layers"] = 1;
        json["use_sliding_window"] = false;
        EXPECT_EQ(windows(json), Windows({0, 0, 0}));
        json["use_sliding_window"] = true;
        EXPECT_EQ(windows(json), Windows({0, 7, 7}));
        json["layer_types"] = {"sliding_attention", "full_attention", "sliding_attention"};
        EXPECT_EQ(windows(json), Windows({7, 0, 7}));
        json["use_sliding_window"] = false;
        EXPECT_NE(error_of(json).find("layer_types"), std::string::npos);
        json.erase("layer_types");
    }
    json["model_type"] = "gemma2";
    EXPECT_EQ(windows(json), Windows({7, 0, 7}));
    json["layer_types"] = {"full_attention", "full_attention", "sliding_attention"};
    EXPECT_EQ(windows(json), Windows({0, 0, 7}));
}

TEST(Config, FamiliesDifferWhereTransformersDoes) {
    Json json = llama();
    json.erase("num_key_value_heads");
    EXPECT_EQ(xlrm::parse_model_config(json, "config.json").kv_heads, 8);
    json["model_type"] = "mistral";
    json["attention_bias"] = true;
    const ModelConfig mistral = xlrm::parse_model_config(json, "config.json");
    EXPECT_FALSE(mistral.qkv_bias || mistral.output_bias || mistral.tied_embeddings);
    json["model_type"] = "qwen3";
    json["num_key_value_heads"] = nullptr;
    const ModelConfig qwen3 = xlrm::parse_model_config(json, "config.json");
    EXPECT_TRUE(qwen3.qk_norm && qwen3.qkv_bias && qwen3.output_bias);
    EXPECT_EQ(qwen3.head_dim, 128);
    EXPECT_EQ(qwen3.kv_heads, 8);
    json["model_type"] = "gemma2";
    json["hidden_act"] = "gelu";
    json.erase("attention_bias");
    const ModelConfig gemma2 = xlrm::parse_model_config(json, "config.json");
    EXPECT_TRUE(gemma2.tied_embeddings && gemma2.post_norms && gemma2.scaled_embeddings);
    EXPECT_FALSE(gemma2.qkv_bias || gemma2.qk_norm);
    EXPECT_EQ(gemma2.norm_weight, xlrm::NormWeight::one_plus);
    EXPECT_EQ(gemma2.activation, xlrm::Activation::gelu_tanh);
    EXPECT_EQ(gemma2.head_dim, 256);
    EXPECT_EQ(gemma2.attention_scale, 1.0 / 16.0);
    EXPECT_EQ(gemma2.attention_soft_cap, 50.0);
    EXPECT_EQ(gemma2.logit_soft_cap, 30.0);
    EXPECT_EQ(gemma2.pad, 0);
    json["final_logit_softcapping"] = nullptr;
    json["query_pre_attn_scalar"] = 144;
    EXPECT_EQ(xlrm::parse_model_config(json, "config.json").logit_soft_cap, 0.0);
    EXPECT_EQ(xlrm::parse_model_config(json, "config.json").attention_scale, 1.0 / 12.0);
}

TEST(Config, LlamaAttentionBiasIncludesTheOutput) {
    Json json = llama();
    json["attention_bias"] = true;
    json["mlp_bias"] = true;
    const ModelConfig config = xlrm::parse_model_config(json, "config.json");
    EXPECT_TRUE(config.qkv_bias && config.output_bias && config.mlp_bias);
    // 3 blocks of q 64·64, k and v 64·16 each, o 64·64, MLP 3·64·96, norms 2·64, biases 64+32+64 and 2·96+64; final norm 64.
    EXPECT_EQ(config.body_parameters(), 3 * (4096 + 2048 + 4096 + 18432 + 128 + 160 + 256) + 64);
}

TEST(Config, ReadsBothFormsOfRopeScaling) {
    const Json scaling = {{"rope_type", "llama3"},
                          {"factor", 32.0},
                          {"low_freq_factor", 1.0},
                          {"high_freq_factor", 4.0},
                          {"original_max_position_embeddings", 8192}};
    Json older = llama();
    older["rope_theta"] = 500000.0;
    older["rope_scaling"] = scaling;
    Json newer = llama();
    newer["rope_parameters"] = scaling;
    newer["rope_parameters"]["rope_theta"] = 500000.0;
    for (const Json& json : {older, newer}) {
        const ModelConfig config = xlrm::parse_model_config(json, "config.json");
        EXPECT_EQ(config.rope.theta, 500000.0);
        EXPECT_EQ(config.rope.scaling, xlrm::RopeConfig::Scaling::llama3);
        EXPECT_EQ(config.rope.factor, 32.0);
        EXPECT_EQ(config.rope.original_max_position, 8192.0);
    }
    older["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
    EXPECT_EQ(xlrm::parse_model_config(older, "config.json").rope.scaling, xlrm::RopeConfig::Scaling::linear);
}

//! Fields as published files of each kind have them: none has what the others need.
TEST(Config, AnUnsupportedRotationIsNamedBeforeItsFields) {
    const std::pair<const char*, Json> kinds[] = {
        {"longrope", {{"type", "longrope"}, {"long_factor", {1, 1}}, {"short_factor", {1, 1}}}},
        {"su", {{"type", "su"}, {"long_factor", {1, 1}}, {"short_factor", {1, 1}}}},
        {"mrope", {{"type", "mrope"}, {"mrope_section", {16, 24, 24}}}},
        {"yarn", {{"rope_type", "yarn"}, {"factor", 2.0}, {"original_max_position_embeddings", 32768}}},
        {"dynamic", {{"type", "dynamic"}, {"factor", 2.0}}},
        {"proportional", {{"rope_type", "proportional"}, {"rope_theta", 1000000.0}}},
        {"newest", {{"rope_type", "newest"}}},
    };
    for (const auto& [name, fields] : kinds) {
        for (const char* key : {"rope_scaling", "rope_parameters"}) {
            Json json = llama();
            json[key] = fields;
            const std::string message = error_of(json);
            EXPECT_NE(message.find(std::string(key) + ": rope type '" + name + "' is not supported"), std::string::npos)
                << message;
            EXPECT_EQ(message.find("add it"), std::string::npos) << message;
        }
        Json json = llama();
        json["rope_parameters"] = {{"sliding_attention", {{"rope_type", "default"}}}, {"full_attention", fields}};
        EXPECT_NE(error_of(json).find(std::string("full_attention: rope type '") + name + "' is not supported"),
                  std::string::npos)
            << error_of(json);
    }
}

TEST(Config, RopeOfLayerTypesMustBeOne) {
    Json json = llama();
    const Json linear = {{"rope_type", "linear"}, {"factor", 2.0}, {"rope_theta", 5000.0}};
    json["rope_parameters"] = {{"full_attention", linear}, {"sliding_attention", linear}};
    const ModelConfig config = xlrm::parse_model_config(json, "config.json");
    EXPECT_EQ(config.rope.scaling, xlrm::RopeConfig::Scaling::linear);
    EXPECT_EQ(config.rope.theta, 5000.0);
    json["rope_parameters"]["sliding_attention"]["rope_theta"] = 10000.0;
    EXPECT_NE(error_of(json).find("differs between the types of layers"), std::string::npos) << error_of(json);
    json["rope_parameters"]["sliding_attention"] = nullptr;
    EXPECT_NE(error_of(json).find("sliding_attention"), std::string::npos) << error_of(json);
}

//! transformers 5.23.0 (modeling_rope_utils.py): rope_scaling is taken where it is not empty; llama3 without an original length
//! has max_position_embeddings.
TEST(Config, RopeDefaultsOfTransformers) {
    Json json = llama();
    json["rope_scaling"] = Json::object();
    json["rope_parameters"] = {{"rope_type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
    EXPECT_EQ(xlrm::parse_model_config(json, "config.json").rope.original_max_position, 128.0);
    json["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
    EXPECT_NE(error_of(json).find("'rope_scaling' and 'rope_parameters' differ"), std::string::npos) << error_of(json);
    json.erase("rope_parameters");
    json["rope_scaling"].erase("factor");
    EXPECT_NE(error_of(json).find("'factor' is missing (the rotary frequencies"), std::string::npos) << error_of(json);
}

//! Each beyond what a product of sizes could bear, or what the engine counts with.
TEST(Config, SizesAreBounded) {
    const std::pair<const char*, const char*> cases[] = {{"hidden_size", "1000000000000000000"},
                                                         {"hidden_size", "-64"},
                                                         {"hidden_size", "18446744073709551615"},
                                                         {"num_hidden_layers", "1099511627776"},
                                                         {"vocab_size", "2147483648"},
                                                         {"head_dim", "0"},
                                                         {"num_key_value_heads", "16"},
                                                         {"num_attention_heads", "4611686018427387904"},
                                                         {"intermediate_size", "1e9"},
                                                         {"intermediate_size", "true"},
                                                         {"max_position_embeddings", "null"},
                                                         {"max_position_embeddings", "9223372036854775807"},
                                                         {"eos_token_id", "4294967296"},
                                                         {"eos_token_id", "[1, 4294967298]"},
                                                         {"pad_token_id", "1.5"},
                                                         {"bos_token_id", "[[1]]"},
                                                         {"rms_norm_eps", "0"},
                                                         {"rms_norm_eps", "\"1e-5\""},
                                                         {"rope_theta", "-1"},
                                                         {"initializer_range", "-0.02"},
                                                         {"rope_scaling", "3"},
                                                         {"rope_scaling", "[]"},
                                                         {"tie_word_embeddings", "\"false\""},
                                                         {"model_type", "[\"llama\"]"},
                                                         {"layer_types", "7"},
                                                         {"hidden_act", "{}"}};
    for (const auto& [key, text] : cases) {
        Json json = llama();
        json[key] = Json::parse(text);
        const std::string message = error_of(json);
        EXPECT_NE(message.find("config.json"), std::string::npos) << key << " " << text << ": " << message;
        EXPECT_NE(message.find(key), std::string::npos) << key << " " << text << ": " << message;
    }
    Json json = llama();
    json["hidden_size"] = json["intermediate_size"] = 1 << 24;
    json["num_hidden_layers"] = 1 << 14;
    EXPECT_NE(error_of(json).find("parameters"), std::string::npos) << error_of(json);
}

//! "Correct the file" would make another model of it.
TEST(Config, WhatIsNotSupportedIsNotCalledWrong) {
    const std::pair<const char*, Json> cases[] = {{"hidden_act", "gelu"},
                                                  {"partial_rotary_factor", 0.5},
                                                  {"layer_types", {"full_attention", "chunked_attention", "full_attention"}}};
    for (const auto& [key, value] : cases) {
        Json json = llama();
        json[key] = value;
        const std::string message = error_of(json);
        EXPECT_NE(message.find(key), std::string::npos) << message;
        EXPECT_NE(message.find("not supported"), std::string::npos) << message;
        EXPECT_EQ(message.find("correct"), std::string::npos) << message;
    }
}

TEST(Config, FirstOfSeveralEndTokensAndNegativeIsNone) {
    Json json = llama();
    json["eos_token_id"] = {7, 8};
    json["pad_token_id"] = -1;
    const ModelConfig config = xlrm::parse_model_config(json, "config.json");
    EXPECT_EQ(config.eos, 7);
    EXPECT_FALSE(config.pad.has_value());
    json["eos_token_id"] = nullptr;
    EXPECT_FALSE(xlrm::parse_model_config(json, "config.json").eos.has_value());
}

TEST(Config, RefusesWhatItCannotCompute) {
    const std::pair<const char*, Json> cases[] = {{"model_type", "gemma3"},
                                                  {"hidden_act", "relu"},
                                                  {"num_key_value_heads", 3},
                                                  {"head_dim", 7},
                                                  {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}},
                                                  {"hidden_size", 0},
                                                  {"vocab_size", "many"},
                                                  {"pad_token_id", 100},
                                                  {"layer_types", {"full_attention", "sliding_attention"}},
                                                  {"hidden_size", 60}};
    for (const auto& [key, value] : cases) {
        Json json = llama();
        json[key] = value;
        const std::string message = error_of(json);
        EXPECT_NE(message.find("config.json"), std::string::npos) << key << ": " << message;
        EXPECT_NE(message.find(key == std::string("rope_scaling") ? "yarn" : key), std::string::npos) << key << ": " << message;
    }
}

TEST(Config, NamesAMissingKey) {
    for (const char* key :
         {"model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"}) {
        Json json = llama();
        json.erase(key);
        EXPECT_NE(error_of(json).find(std::string(key) + "' is missing"), std::string::npos) << key;
    }
}

}  // namespace
