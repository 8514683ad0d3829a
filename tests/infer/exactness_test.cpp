// One bit pattern a text and state, however it is computed: alone, in batches of four sizes, in reversed order, on either side of
// a pair, with and without shared prefixes, divided over ranks. XLRM_EXACT_TEXTS: how many texts (default 48).
#include "xlrm/model/exactness.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>

#include "infer/kept_rows.hpp"
#include "model/golden.hpp"
#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/partition.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/infer/scorer.hpp"

namespace {

struct Case {
    std::string name;
    at::ScalarType dtype;
    xlrm::Json config;
};

xlrm::Json shape(const char* type, int hidden, int layers, int heads, int kv_heads, int intermediate) {
    return {{"model_type", type},
            {"vocab_size", 259},
            {"hidden_size", hidden},
            {"num_hidden_layers", layers},
            {"num_attention_heads", heads},
            {"num_key_value_heads", kv_heads},
            {"intermediate_size", intermediate},
            {"max_position_embeddings", 2048},
            {"rms_norm_eps", 1e-6},
            {"pad_token_id", 0},
            {"bos_token_id", 1},
            {"eos_token_id", 2},
            {"tie_word_embeddings", false},
            {"hidden_act", "silu"}};
}

std::vector<Case> cases() {
    xlrm::Json gemma = shape("gemma2", 72, 3, 4, 2, 104);
    gemma.update({{"head_dim", 20},
                  {"query_pre_attn_scalar", 18},
                  {"sliding_window", 37},
                  {"attn_logit_softcapping", 1.5},
                  {"final_logit_softcapping", 2.0},
                  {"tie_word_embeddings", true},
                  {"hidden_activation", "gelu_pytorch_tanh"},
                  {"attention_bias", false},
                  {"layer_types", {"sliding_attention", "full_attention", "sliding_attention"}}});
    gemma.erase("hidden_act");
    xlrm::Json qwen3 = shape("qwen3", 80, 2, 5, 1, 96);
    qwen3.update({{"head_dim", 24}, {"attention_bias", false}});
    std::vector<Case> out;
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        const std::string suffix = dtype == at::kFloat ? "_fp32" : "_bf16";
        out.push_back({"llama" + suffix, dtype, shape("llama", 96, 2, 6, 2, 200)});
        out.push_back({"qwen2" + suffix, dtype, shape("qwen2", 112, 2, 7, 1, 300)});
        out.push_back({"qwen3" + suffix, dtype, qwen3});
        out.push_back({"gemma2" + suffix, dtype, gemma});
    }
    out.push_back({"wide_bf16", at::kBFloat16, shape("llama", 2048, 1, 32, 8, 4096)});
    return out;
}

// Weights of a size at which scores, biases and soft caps matter; from a table, because a wide model has many.
xlrm::Parameters random_parameters(const xlrm::ModelConfig& config, xlrm::HeadKind head, at::ScalarType dtype) {
    constexpr std::uint64_t kTable = 1 << 20;
    static const std::vector<float> normal = [] {
        std::vector<float> values(kTable);
        xlrm::Random random(5);
        for (float& value : values) value = static_cast<float>(random.normal());
        return values;
    }();
    xlrm::Parameters parameters{xlrm::make_layout(config, head), {}};
    parameters.flat = at::empty({parameters.layout.total}, at::TensorOptions().dtype(at::kFloat));
    for (const xlrm::ParameterInfo& info : parameters.layout.tensors) {
        const bool norm = info.name.ends_with("norm.weight"), one_plus = config.norm_weight == xlrm::NormWeight::one_plus;
        const double scale = info.shape.size() == 1                     ? 0.3
                             : info.name == "model.embed_tokens.weight" ? 1.0
                                                                        : 1 / std::sqrt(double(info.shape[1]));
        float* values = parameters.view(info.name).data_ptr<float>();
        for (std::int64_t i = 0; i < info.elements; ++i) {
            const float value = normal[static_cast<std::uint64_t>(i + 7919 * info.offset) % kTable];
            values[i] = (norm && !one_plus ? 1.0f : 0.0f) + static_cast<float>(scale) * value;
        }
    }
    parameters.flat = parameters.flat.to(dtype);
    return parameters;
}

std::int64_t asked_texts() {
    const char* text = std::getenv("XLRM_EXACT_TEXTS");
    return text != nullptr ? std::atoll(text) : 48;
}

// Bytes of the first article of the Declaration of Human Rights in eleven languages, over and over: texts of 1 to 1,000 tokens of
// all orders of size. Four texts have one prompt; every ninth has none; every eleventh is equal to the one before; some end with
// their prompt.
xlrm::ItemSet real_texts(std::int64_t count) {
    std::ifstream file(xlrm_test::fixture("article_1.txt"));
    std::vector<std::string> languages;
    for (std::string line; std::getline(file, line);) languages.push_back(line);
    EXPECT_EQ(languages.size(), 11u);
    const auto append = [&](xlrm::ItemSet& set, const std::string& text, std::int64_t from, std::int64_t bytes) {
        for (std::int64_t i = from; i < from + bytes; ++i) {
            set.tokens.push_back(3 + static_cast<unsigned char>(text[static_cast<std::size_t>(i) % text.size()]));
        }
    };
    xlrm::ItemSet set;
    for (std::int64_t i = 0; i < count; ++i) {
        if (i % 11 == 10) {
            set.answers.push_back(set.answers.back());
            continue;
        }
        xlrm::Random prompt(1, static_cast<std::uint64_t>(i / 4)), answer(2, static_cast<std::uint64_t>(i));
        const std::string& text = languages[static_cast<std::size_t>(i / 4) % languages.size()];
        const auto prompt_bytes = i % 9 == 8 ? 0 : static_cast<std::int64_t>(std::pow(400.0, prompt.uniform()));
        const auto answer_bytes =
            i % 13 == 12 && prompt_bytes > 0 ? 0 : static_cast<std::int64_t>(std::pow(600.0, answer.uniform()));
        const auto begin = static_cast<std::int64_t>(set.tokens.size());
        append(set, text, 0, prompt_bytes);
        append(set, text, prompt_bytes + static_cast<std::int64_t>(answer.below(100)), answer_bytes);
        set.answers.push_back(
            {begin, static_cast<std::int32_t>(prompt_bytes + answer_bytes), static_cast<std::int32_t>(prompt_bytes)});
    }
    return set;
}

class Exactness : public testing::TestWithParam<Case> {
protected:
    Exactness()
        : config_(xlrm::parse_model_config(GetParam().config, "the test's model")),
          parameters_(random_parameters(config_, xlrm::HeadKind::reward, GetParam().dtype)),
          decoder_(config_, parameters_),
          set_(real_texts(asked_texts())) {
        const xlrm::Communicator world = xlrm::Communicator::world();
        const xlrm::Range mine = xlrm::block_range(static_cast<std::int64_t>(set_.answers.size()), world.rank(), world.size());
        for (std::int64_t i = mine.begin; i < mine.end; ++i) answers_.push_back(i);
    }

    xlrm::ScoreOptions options(std::int64_t budget, bool share = true) const {
        xlrm::ScoreOptions out;
        out.token_budget = budget;
        out.share_prefixes = share;
        for (std::int64_t layer = 0; layer <= config_.layers; ++layer) out.layers.push_back(layer);
        out.capture_last = out.capture_mean = true;
        return out;
    }

    // `order`: places in answers_.
    void compare(const std::vector<std::int64_t>& order, const xlrm::ScoreOptions& how, const std::string& what) {
        std::vector<std::int64_t> asked;
        for (const std::int64_t place : order) asked.push_back(answers_[static_cast<std::size_t>(place)]);
        const xlrm_test::KeptRows result = xlrm_test::score_and_keep(decoder_, set_, asked, how);
        std::int64_t differ = 0;
        const auto count = [&](const float* a, const float* b, std::int64_t n) {
            if (std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(float)) != 0) ++differ;
        };
        for (std::size_t i = 0; i < order.size(); ++i) {
            const std::int64_t place = order[i];
            count(&result.scores[i], &alone_.scores[static_cast<std::size_t>(place)], 1);
            for (const auto* rows : {&result.last, &result.mean})
                for (const auto& [layer, states] : *rows) {
                    const at::Tensor& expected = (rows == &result.last ? alone_.last : alone_.mean).at(layer);
                    count(states[static_cast<std::int64_t>(i)].data_ptr<float>(), expected[place].data_ptr<float>(),
                          config_.hidden);
                }
        }
        EXPECT_EQ(differ, 0) << what << ": scores or states with other bits than alone";
    }

    xlrm::ModelConfig config_;
    xlrm::Parameters parameters_;
    xlrm::Decoder decoder_;
    xlrm::ItemSet set_;
    std::vector<std::int64_t> answers_;  // this rank's
    xlrm_test::KeptRows alone_;
};

TEST_P(Exactness, OneBitPatternHoweverATextIsComputed) {
    std::vector<std::int64_t> order(answers_.size());
    std::iota(order.begin(), order.end(), 0);
    alone_ = xlrm_test::score_and_keep(decoder_, set_, answers_, options(1, false));
    if (answers_.size() > 20) {
        std::vector<float> distinct = alone_.scores;
        std::ranges::sort(distinct);
        const auto repeated = std::ranges::unique(distinct);
        EXPECT_GT(repeated.begin() - distinct.begin(), std::ssize(distinct) / 2)
            << "scores hardly differ: the comparison says little";
    }
    for (const std::int64_t budget : {1, 300, 1111, 4096, 20000}) {
        compare(order, options(budget), "budget " + std::to_string(budget));
        compare(order, options(budget, false), "no shared prefixes, budget " + std::to_string(budget));
    }
    xlrm::ScoreOptions scores_only;
    scores_only.token_budget = 3000;
    compare(order, scores_only, "scores alone");
    at::set_num_threads(2);
    compare(order, options(2000), "two threads");
    at::set_num_threads(1);
    std::vector<std::int64_t> sides = order;
    for (std::size_t i = 0; i + 1 < sides.size(); i += 2) std::swap(sides[i], sides[i + 1]);
    compare(sides, options(2000), "the pairs' sides exchanged");
    std::ranges::reverse(order);
    compare(order, options(2000), "reversed");
}

TEST_P(Exactness, TheCheckFindsNothing) {
    const xlrm::ExactnessCheck check = xlrm::check_exactness(decoder_, 4096);
    EXPECT_EQ(check.problem, "");
    EXPECT_EQ(check.fingerprint, xlrm::check_exactness(decoder_, 4096).fingerprint);
}

// What a generated text's tokens are read from does not depend on how far the text has come.
TEST_P(Exactness, LogitsOfATokenAreThoseOfEveryLongerText) {
    const xlrm::Parameters parameters = random_parameters(config_, xlrm::HeadKind::lm, GetParam().dtype);
    const xlrm::Decoder decoder(config_, parameters);
    xlrm::ItemSet set;
    set.tokens.assign(set_.tokens.begin(), set_.tokens.begin() + 130);
    const auto logits = [&](std::int32_t length) {
        set.answers = {{0, length, 0}};
        const std::int64_t only[] = {0};
        return xlrm::lm_logits(decoder, decoder.final_norm(decoder.forward(xlrm::pack(set, only))));
    };
    const at::Tensor whole = logits(130);
    for (const std::int32_t length : {1, 2, 15, 64, 129}) {
        EXPECT_TRUE(at::equal(logits(length), whole.narrow(0, 0, length))) << length;
    }
}

TEST_P(Exactness, LogProbabilitiesOfAnswersToo) {
    const xlrm::Parameters parameters = random_parameters(config_, xlrm::HeadKind::lm, GetParam().dtype);
    const xlrm::Decoder decoder(config_, parameters);
    const auto log_probs = [&](std::int64_t budget, bool share) {
        xlrm::ScoreOptions how;
        how.token_budget = budget;
        how.share_prefixes = share;
        how.log_probs = true;
        return xlrm::score_texts(decoder, set_, answers_, how).log_probs;
    };
    const std::vector<double> alone = log_probs(1, false);
    for (const std::int64_t budget : {1, 700, 4096}) EXPECT_EQ(log_probs(budget, true), alone) << budget;
    EXPECT_EQ(xlrm::check_exactness(decoder, 4096).problem, "");
}

INSTANTIATE_TEST_SUITE_P(Models, Exactness, testing::ValuesIn(cases()), [](const auto& test) { return test.param.name; });

}  // namespace
