// A published Llama (stories260K) against reference states in fp64 and its author's published text.
#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include "model/golden.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/model/model_folder.hpp"

namespace {

using namespace xlrm_test;

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

class Stories : public testing::Test {
protected:
    void SetUp() override {
        folder_ = shared_data("tiny_lm/stories260K");
        if (folder_.empty()) GTEST_SKIP() << "tiny_lm/stories260K is not there: set XLRM_SHARED to the folder that holds data/";
        model_ = xlrm::load_model(folder_, xlrm::HeadKind::lm, at::kFloat);
    }
    std::filesystem::path folder_;
    xlrm::LoadedModel model_;
};

TEST_F(Stories, StatesAndLogitsEqualTheReference) {
    const xlrm::Decoder decoder(model_.config, model_.parameters);
    const xlrm::Json golden = xlrm::read_json(folder_ / "golden.json");
    const xlrm::SafetensorsFile states(folder_ / "golden_states.safetensors");
    for (std::size_t i = 0; i < golden.size(); ++i) {
        xlrm::ItemSet set;
        set.tokens = golden[i].at("ids").get<std::vector<std::int32_t>>();
        const auto length = static_cast<std::int32_t>(set.tokens.size());
        // Alone, and with the text divided into prompt and answer.
        for (const std::int32_t prompt : {0, length / 2, length}) {
            set.answers = {{0, length, prompt}};
            const std::int64_t only[] = {0};
            std::int64_t layers = 0;
            const auto hook = [&](std::int64_t layer, const at::Tensor& residual) {
                ++layers;
                const std::string name = std::to_string(i) + ".hidden." + std::to_string(layer);
                EXPECT_LT(largest_difference(residual, read_tensor(states, name)), 1e-4) << name;
            };
            const at::Tensor rows = decoder.forward(xlrm::pack(set, only), {}, nullptr, hook);
            EXPECT_EQ(layers, model_.config.layers + 1);
            const at::Tensor normed = decoder.final_norm(rows);
            EXPECT_LT(largest_difference(normed, read_tensor(states, std::to_string(i) + ".final_norm")), 1e-4);
            EXPECT_LT(largest_difference(xlrm::lm_logits(decoder, normed), read_tensor(states, std::to_string(i) + ".logits")),
                      1e-4);
        }
    }
}

TEST_F(Stories, GreedyTextIsThePublishedOne) {
    const xlrm::Decoder decoder(model_.config, model_.parameters);
    const auto published = xlrm::read_json(folder_ / "golden_greedy_200_ids.json").get<std::vector<std::int32_t>>();
    std::vector<std::int32_t> text = {published.front()};
    const auto more = xlrm::generate_greedy(decoder, text, static_cast<std::int64_t>(published.size()) - 1);
    text.insert(text.end(), more.begin(), more.end());
    EXPECT_EQ(text, published);
}

}  // namespace
