#include "xlrm/stats/ngram_floor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

const std::vector<std::string> kFillers{"near the old bridge", "under a blue roof", "in the quiet town",   "on a cold morning",
                                        "behind that wall",    "with my brother",   "after the long rain", "for two days"};

TEST(NgramFloor, LearnsWordsOfTheAnswer) {
    std::vector<TextPair> train, test;
    for (std::size_t i = 0; i < kFillers.size(); ++i) {
        (i % 2 == 0 ? train : test)
            .push_back({"Question " + kFillers[i], "thank you, " + kFillers[i], "go away, " + kFillers[i]});
    }
    EXPECT_DOUBLE_EQ(NgramFloor(train).accuracy(test), 1.0);
}

// The same two answers, right or wrong by a word of the prompt: only crossed features can tell.
TEST(NgramFloor, LearnsWordsOfThePromptForAClosedSetOfAnswers) {
    std::vector<TextPair> train, test;
    for (std::size_t i = 0; i < kFillers.size(); ++i) {
        auto& part = i < 6 ? train : test;
        part.push_back({"I saw a horse " + kFillers[i], "animal", "food"});
        part.push_back({"I saw bread " + kFillers[i], "food", "animal"});
    }
    EXPECT_DOUBLE_EQ(NgramFloor(train).accuracy(test), 1.0);
    NgramFloorOptions without;
    without.cross_n = 5;                                         // longer than the longest n-gram: no crossed features
    EXPECT_LE(NgramFloor(train, without).accuracy(test), 0.75);  // only the overlap feature is left to tell them apart
}

TEST(NgramFloor, LengthCrossesScripts) {
    std::vector<TextPair> train, test;
    for (const std::string& filler : kFillers) train.push_back({"Q", "Yes, " + filler + ", " + filler, filler});
    for (const std::string word : {"개", "고양이", "소"})
        test.push_back({"문", std::string(word) + "는 동물입니다 그리고 저기 있습니다", word});
    EXPECT_DOUBLE_EQ(NgramFloor(train).accuracy(test), 1.0);
}

TEST(NgramFloor, EqualAnswersScoreEqual) {
    const std::vector<TextPair> train{{"a", "bc", "cd"}, {"e", "bf", "cg"}};
    const TextPair same{"x", "bc", "bc"};
    EXPECT_EQ(NgramFloor(train).margin(same), 0.0);
    EXPECT_DOUBLE_EQ(NgramFloor(train).accuracy(std::vector<TextPair>{same}), 0.5);
}

TEST(NgramFloor, MarginChangesSignWithTheAnswers) {
    const std::vector<TextPair> train{{"a", "bc", "cd"}, {"e", "bf", "cg"}};
    const NgramFloor floor(train);
    EXPECT_NE(floor.margin({"x", "bc", "cd"}), 0.0);
    EXPECT_DOUBLE_EQ(floor.margin({"x", "bc", "cd"}), -floor.margin({"x", "cd", "bc"}));
}

// At the solution the gradient of a strictly convex objective vanishes; at zero the objective is c · n · log 2.
TEST(NgramFloor, ReachesTheMinimum) {
    std::vector<TextPair> train;
    for (std::size_t i = 0; i < kFillers.size(); ++i)
        train.push_back({"Q", kFillers[i], kFillers[(i * 3 + 1) % kFillers.size()]});
    const NgramFloor floor(train);
    EXPECT_LT(floor.objective(), 10.0 * static_cast<double>(train.size()) * std::log(2.0));
    EXPECT_LT(floor.gradient(), 1e-4);
}

TEST(NgramFloor, RefusesWhatItCannotTrainOn) {
    EXPECT_THROW(NgramFloor(std::vector<TextPair>{}), Error);
    const std::vector<TextPair> train{{"a", "b", "c"}};
    NgramFloorOptions options;
    options.bits = 40;
    EXPECT_THROW(NgramFloor(train, options), Error);
    EXPECT_THROW(NgramFloor(train).accuracy(std::vector<TextPair>{}), Error);
}

}  // namespace
}  // namespace xlrm
