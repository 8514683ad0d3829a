#include "xlrm/infer/scorer.hpp"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <numeric>

#include "infer/kept_rows.hpp"
#include "model/golden.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/model/model_folder.hpp"

namespace {

using namespace xlrm_test;
using xlrm::ScoreOptions;

// 40 texts over 10 prompts of 0 to 27 tokens, in an order that parts the texts of a prompt; two are equal, and one prompt stands
// alone.
xlrm::ItemSet random_texts() {
    xlrm::ItemSet set;
    for (int i = 0; i < 40; ++i) {
        const auto prompt = static_cast<std::uint64_t>(i % 10);
        xlrm::Random head(5, prompt);
        xlrm::Random rest(6, static_cast<std::uint64_t>(i == 30 ? 20 : i));
        xlrm::Answer answer{static_cast<std::int64_t>(set.tokens.size()), 0, static_cast<std::int32_t>(3 * prompt)};
        for (std::uint64_t k = 0; k < 3 * prompt; ++k) set.tokens.push_back(static_cast<std::int32_t>(head.below(48)));
        const std::uint64_t more = i == 17 ? 0 : 1 + rest.below(12);
        for (std::uint64_t k = 0; k < more; ++k) set.tokens.push_back(static_cast<std::int32_t>(rest.below(48)));
        answer.length = static_cast<std::int32_t>(static_cast<std::int64_t>(set.tokens.size()) - answer.begin);
        set.answers.push_back(answer);
    }
    return set;
}

std::vector<std::int64_t> all(const xlrm::ItemSet& set) {
    std::vector<std::int64_t> out(set.answers.size());
    std::iota(out.begin(), out.end(), 0);
    return out;
}

class Scorer : public testing::TestWithParam<at::ScalarType> {
protected:
    Scorer()
        : model_(xlrm::load_model(fixture("llama"), xlrm::HeadKind::reward, GetParam())),
          decoder_(model_.config, model_.parameters) {}
    xlrm::LoadedModel model_;
    xlrm::Decoder decoder_;
};

ScoreOptions everything(std::int64_t budget) {
    ScoreOptions options;
    options.token_budget = budget;
    options.layers = {0, 1, 2};
    options.capture_last = options.capture_mean = true;
    return options;
}

TEST_P(Scorer, BitsDoNotDependOnTheBatch) {
    const xlrm::ItemSet set = random_texts();
    const auto order = all(set);
    const KeptRows whole = score_and_keep(decoder_, set, order, everything(100000));
    for (const std::int64_t budget : {1, 37, 150}) {
        const KeptRows parts = score_and_keep(decoder_, set, order, everything(budget));
        EXPECT_EQ(parts.scores, whole.scores) << budget;
        for (const std::int64_t layer : {0, 1, 2}) {
            EXPECT_TRUE(at::equal(parts.last.at(layer), whole.last.at(layer))) << budget << " layer " << layer;
            EXPECT_TRUE(at::equal(parts.mean.at(layer), whole.mean.at(layer))) << budget << " layer " << layer;
        }
    }
    ScoreOptions scores_only;
    EXPECT_EQ(xlrm::score_texts(decoder_, set, order, scores_only).scores, whole.scores) << "last block trimmed or not";
    const std::vector<std::int64_t> reversed(order.rbegin(), order.rend());
    std::vector<float> back = score_and_keep(decoder_, set, reversed, everything(150)).scores;
    std::ranges::reverse(back);
    EXPECT_EQ(back, whole.scores);
}

TEST_P(Scorer, EachDistinctTextIsComputedOnce) {
    const xlrm::ItemSet set = random_texts();
    std::vector<std::int64_t> asked = all(set);
    const auto again = asked;
    asked.insert(asked.end(), again.begin(), again.end());
    std::int64_t calls = 0, done = 0;
    ScoreOptions one_each;
    one_each.token_budget = 1;
    const auto result = xlrm::score_texts(decoder_, set, asked, one_each, [&](std::int64_t n) {
        ++calls;
        done = n;
    });
    EXPECT_EQ(calls, 39);  // texts 20 and 30 are equal
    EXPECT_EQ(done, 80);
    EXPECT_EQ(result.scores[20], result.scores[30]);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(result.scores[i], result.scores[i + 40]);
    EXPECT_NE(result.scores[0], result.scores[1]);
}

// Two conversations that part within their prompts.
TEST_P(Scorer, ScoresOfAPartedPairAreThoseOfEachTextAlone) {
    xlrm::ItemSet set;
    set.tokens = {5, 6, 7, 8, 9, 10, 5, 6, 11, 12, 9, 10};
    set.answers = {{0, 6, 5, 3}, {6, 6, 4, 2}};
    const KeptRows both = score_and_keep(decoder_, set, all(set), everything(1000));
    for (std::int64_t text = 0; text < 2; ++text) {
        const KeptRows alone = score_and_keep(decoder_, set, std::vector<std::int64_t>{text}, everything(1000));
        EXPECT_EQ(alone.scores[0], both.scores[static_cast<std::size_t>(text)]);
        EXPECT_TRUE(at::equal(alone.mean.at(1)[0], both.mean.at(1)[text]));
    }
    EXPECT_NE(both.scores[0], both.scores[1]);
}

TEST_P(Scorer, CapturedRowsAreTheHooksRows) {
    const xlrm::ItemSet set = random_texts();
    const std::int64_t text = 27;
    const std::int64_t only[] = {text};
    const KeptRows result = score_and_keep(decoder_, set, all(set), everything(100));
    const xlrm::Answer& answer = set.answers[27];
    decoder_.forward(xlrm::pack(set, only), {}, nullptr, [&](std::int64_t layer, const at::Tensor& residual) {
        const at::Tensor states = residual.to(at::kDouble);
        const at::Tensor mean = states.narrow(0, answer.prompt, answer.length - answer.prompt).mean(0);
        const double step = GetParam() == at::kBFloat16 ? 1e-2 : 1e-5;
        EXPECT_LT(relative_error(result.last.at(layer)[text], states[answer.length - 1]), 1e-6);
        EXPECT_LT(relative_error(result.mean.at(layer)[text], mean), step) << layer;
    });
}

TEST_P(Scorer, AModelWithoutHeadGivesStatesAndNoScores) {
    const auto body = xlrm::load_model(fixture("llama"), xlrm::HeadKind::none, GetParam());
    const xlrm::Decoder decoder(body.config, body.parameters);
    const xlrm::ItemSet set = random_texts();
    const auto states = score_and_keep(decoder, set, all(set), everything(200));
    EXPECT_TRUE(states.scores.empty());
    EXPECT_TRUE(at::equal(states.last.at(2), score_and_keep(decoder_, set, all(set), everything(200)).last.at(2)));
}

TEST_P(Scorer, PoolingRuleDecidesTheRow) {
    xlrm::ItemSet set;
    set.tokens = {1, 7, 9, 0, 0, 1, 7, 9};  // pad is 0
    set.answers = {{0, 5, 2}, {5, 3, 2}};
    ScoreOptions options;
    const auto last = xlrm::score_texts(decoder_, set, all(set), options);
    EXPECT_NE(last.scores[0], last.scores[1]);
    options.pooling = xlrm::Pooling::hf;
    const auto hf = xlrm::score_texts(decoder_, set, all(set), options);
    EXPECT_EQ(hf.scores[0], hf.scores[1]);
}

TEST_P(Scorer, RefusesALayerThatDoesNotExist) {
    ScoreOptions options;
    options.layers = {3};
    const xlrm::ItemSet set = random_texts();
    EXPECT_THROW(xlrm::score_texts(decoder_, set, all(set), options), xlrm::Error);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Scorer, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& test) { return test.param == at::kFloat ? std::string("fp32") : std::string("bf16"); });

}  // namespace
