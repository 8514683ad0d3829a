#include "xlrm/infer/pooling.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"

namespace {

using xlrm::pooled_index;
using xlrm::Pooling;

constexpr std::int32_t kPad = 9;

TEST(Pooling, RulesAgreeWhereNoPadOccurs) {
    const std::int32_t text[] = {1, 5, 6, 2};
    for (const Pooling rule : {Pooling::last, Pooling::hf, Pooling::first_pad}) EXPECT_EQ(pooled_index(rule, text, kPad), 3);
}

TEST(Pooling, HfSkipsPadsAtTheEndAndIgnoresThoseWithin) {
    const std::int32_t text[] = {1, 9, 6, 9, 9};
    EXPECT_EQ(pooled_index(Pooling::last, text, kPad), 4);
    EXPECT_EQ(pooled_index(Pooling::hf, text, kPad), 2);
    EXPECT_EQ(pooled_index(Pooling::first_pad, text, kPad), 0);
}

TEST(Pooling, WithoutPadIdEveryRuleTakesTheLastToken) {
    const std::int32_t text[] = {1, 9, 9};
    for (const Pooling rule : {Pooling::last, Pooling::hf, Pooling::first_pad}) EXPECT_EQ(pooled_index(rule, text, {}), 2);
}

TEST(Pooling, TextOfPadsAlone) {
    const std::int32_t text[] = {9, 9, 9};
    EXPECT_EQ(pooled_index(Pooling::hf, text, kPad), 0);
    // Older transformers: (0 - 1) modulo the length.
    EXPECT_EQ(pooled_index(Pooling::first_pad, text, kPad), 2);
}

TEST(Pooling, NamesGoBothWays) {
    for (const Pooling rule : {Pooling::last, Pooling::hf, Pooling::first_pad}) {
        EXPECT_EQ(xlrm::parse_pooling(xlrm::pooling_name(rule)), rule);
    }
    EXPECT_THROW(xlrm::parse_pooling("mean"), xlrm::Error);
}

}  // namespace
