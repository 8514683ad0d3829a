#include "xlrm/model/parameters.hpp"

#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/std.h>
#include <gtest/gtest.h>

#include <set>

#include "xlrm/core/error.hpp"
#include "xlrm/ops/memory.hpp"

namespace {

using xlrm::HeadKind;
using xlrm::Parameters;

xlrm::ModelConfig config(bool tied = false) {
    const xlrm::Json json = {
        {"model_type", "qwen2"},      {"vocab_size", 50},         {"hidden_size", 16},       {"num_hidden_layers", 2},
        {"num_attention_heads", 4},   {"num_key_value_heads", 2}, {"intermediate_size", 24}, {"max_position_embeddings", 64},
        {"tie_word_embeddings", tied}};
    return xlrm::parse_model_config(json, "test");
}

TEST(Parameters, LayoutCoversTheBufferWithoutGaps) {
    for (const HeadKind head : {HeadKind::none, HeadKind::reward, HeadKind::lm}) {
        const xlrm::ParameterLayout layout = xlrm::make_layout(config(), head);
        std::int64_t next = 0;
        std::set<std::string> names;
        for (const auto& info : layout.tensors) {
            EXPECT_EQ(info.offset, next) << info.name;
            EXPECT_TRUE(names.insert(info.name).second) << info.name;
            EXPECT_EQ(info.decay, info.shape.size() == 2) << info.name;
            next += info.elements;
        }
        EXPECT_EQ(next, layout.total);
        const std::int64_t head_size = head == HeadKind::none ? 0 : head == HeadKind::reward ? 16 : 50 * 16;
        EXPECT_EQ(layout.total, config().body_parameters() + 50 * 16 + head_size);
        EXPECT_EQ(layout.layer_range(1).end, layout.find("model.norm.weight").offset);
        EXPECT_EQ(layout.layer_range(0).end, layout.layer_range(1).begin);
    }
}

TEST(Parameters, TiedLmHeadHasNoTensorOfItsOwn) {
    EXPECT_FALSE(xlrm::make_layout(config(true), HeadKind::lm).contains("lm_head.weight"));
    EXPECT_THROW(xlrm::make_layout(config(true), HeadKind::lm).find("lm_head.weight"), xlrm::Error);
}

TEST(Parameters, MergedViewsAreTheirParts) {
    const Parameters p = xlrm::init_parameters(config(), HeadKind::none, 1, at::kFloat);
    const std::string attention = "model.layers.1.self_attn.";
    const at::Tensor qkv = p.merged(p.flat, attention + "q_proj.weight", attention + "v_proj.weight");
    EXPECT_EQ(qkv.sizes(), (std::vector<std::int64_t>{16 + 8 + 8, 16}));
    EXPECT_TRUE(at::equal(qkv.narrow(0, 16, 8), p.view(attention + "k_proj.weight")));
    const at::Tensor bias = p.merged(p.flat, attention + "q_proj.bias", attention + "v_proj.bias");
    EXPECT_EQ(bias.sizes(), (std::vector<std::int64_t>{32}));
    const at::Tensor gate_up = p.merged(p.flat, "model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.up_proj.weight");
    EXPECT_TRUE(at::equal(gate_up.narrow(0, 24, 24), p.view("model.layers.0.mlp.up_proj.weight")));
}

TEST(Parameters, InitialValuesAreThoseOfTransformers) {
    const Parameters p = xlrm::init_parameters(config(), HeadKind::lm, 3, at::kDouble);
    EXPECT_EQ(p.view("model.layers.0.input_layernorm.weight").min().item<double>(), 1.0);
    EXPECT_EQ(p.view("model.layers.0.self_attn.q_proj.bias").abs().max().item<double>(), 0.0);
    EXPECT_NEAR(at::std(p.view("model.embed_tokens.weight")).item<double>(), 0.02, 0.002);
    EXPECT_NEAR(p.view("model.embed_tokens.weight").mean().item<double>(), 0.0, 0.003);
}

TEST(Parameters, EachTensorHasItsOwnStream) {
    const Parameters lm = xlrm::init_parameters(config(), HeadKind::lm, 3, at::kFloat);
    const Parameters body = xlrm::init_parameters(config(), HeadKind::none, 3, at::kFloat);
    const Parameters other = xlrm::init_parameters(config(), HeadKind::none, 4, at::kFloat);
    EXPECT_TRUE(at::equal(lm.view("model.layers.1.mlp.down_proj.weight"), body.view("model.layers.1.mlp.down_proj.weight")));
    EXPECT_FALSE(at::equal(lm.view("model.layers.1.mlp.gate_proj.weight"), lm.view("model.layers.1.mlp.up_proj.weight")));
    EXPECT_FALSE(at::equal(other.view("model.embed_tokens.weight"), body.view("model.embed_tokens.weight")));
}

TEST(Parameters, RewardHeadBeginsAsNamed) {
    xlrm::ModelConfig wide = config();
    wide.hidden = 1024;
    wide.layers = 1;
    Parameters p = xlrm::init_parameters(wide, HeadKind::reward, 3, at::kFloat);
    EXPECT_EQ(p.view("score.weight").abs().max().item<double>(), 0.0);
    xlrm::init_reward_head(p, wide, "paper", 3);
    EXPECT_NEAR(at::std(p.view("score.weight")).item<double>(), 1.0 / std::sqrt(1025.0), 0.004);
    xlrm::init_reward_head(p, wide, "hf", 3);
    EXPECT_NEAR(at::std(p.view("score.weight")).item<double>(), 0.02, 0.0025);
    xlrm::init_reward_head(p, wide, "zero", 3);
    EXPECT_EQ(p.view("score.weight").abs().max().item<double>(), 0.0);
    EXPECT_THROW(xlrm::init_reward_head(p, wide, "xavier", 3), xlrm::Error);
}

TEST(FlatZeros, AreZeroWritableAndOfTheLengthAskedFor) {
    for (const std::int64_t elements : {std::int64_t{5}, std::int64_t{9'000'001}}) {
        for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
            const at::Tensor flat = xlrm::flat_zeros(elements, dtype);
            ASSERT_EQ(flat.numel(), elements);
            EXPECT_EQ(flat.scalar_type(), dtype);
            EXPECT_EQ(flat.count_nonzero().item<std::int64_t>(), 0);
            flat.fill_(1.0);
            EXPECT_EQ(flat.count_nonzero().item<std::int64_t>(), elements);
        }
    }
}

}  // namespace
