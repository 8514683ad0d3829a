#include "xlrm/model/packed_batch.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"
#include "xlrm/model/lm_head.hpp"

namespace {

using xlrm::PackedBatch;

// Prompt {1 2 3} with the answers {4 5}, {6} and nothing; prompt {1 2} with {7}; no prompt: {8 9}.
xlrm::ItemSet example() {
    xlrm::ItemSet set;
    set.tokens = {1, 2, 3, 4, 5, 1, 2, 3, 6, 1, 2, 3, 1, 2, 7, 8, 9};
    set.answers = {{0, 5, 3}, {5, 4, 3}, {9, 3, 3}, {12, 3, 2}, {15, 2, 0}};
    return set;
}

std::vector<std::int32_t> values(const at::Tensor& tensor) {
    const auto* data = tensor.const_data_ptr<std::int32_t>();
    return {data, data + tensor.numel()};
}

const std::int64_t kAll[] = {0, 1, 2, 3, 4};

TEST(PackedBatch, SharesAPrefixBetweenNeighbours) {
    const PackedBatch batch = xlrm::pack(example(), kAll);
    EXPECT_EQ(values(batch.tokens), (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 1, 2, 7, 8, 9}));
    EXPECT_EQ(values(batch.positions), (std::vector<std::int32_t>{0, 1, 2, 3, 4, 3, 0, 1, 2, 0, 1}));
    EXPECT_EQ(batch.logical_tokens, 17);
    EXPECT_EQ(batch.physical_tokens(), 11);
    const xlrm::Segments segments = {{{{0, 3}}, {{0, 3, 0}}}, {{{0, 3}, {3, 2}}, {{3, 2, 3}}}, {{{0, 3}, {5, 1}}, {{5, 1, 3}}},
                                     {{{6, 2}}, {{6, 2, 0}}}, {{{6, 2}, {8, 1}}, {{8, 1, 2}}}, {{{9, 2}}, {{9, 2, 0}}}};
    ASSERT_EQ(batch.segments.size(), segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
        EXPECT_EQ(batch.segments[i].keys, segments[i].keys) << i;
        EXPECT_EQ(batch.segments[i].queries, segments[i].queries) << i;
    }
    EXPECT_EQ(batch.texts[2].begin, batch.texts[2].end);
    EXPECT_EQ(batch.texts[2].last, 2);
    EXPECT_EQ(batch.texts[1].last, 5);
}

TEST(PackedBatch, SegmentsOfSomeRowsNumberTheQueriesAnew) {
    const PackedBatch batch = xlrm::pack(example(), kAll);
    const std::int64_t rows[] = {2, 3, 4, 6, 8, 9};
    const xlrm::Segments some = xlrm::segments_of(batch.segments, xlrm::needed_rows(rows).list);
    const std::vector<std::vector<xlrm::QueryRun>> runs = {{{0, 1, 2}}, {{1, 2, 3}}, {}, {{3, 1, 0}}, {{4, 1, 2}}, {{5, 1, 0}}};
    ASSERT_EQ(some.size(), runs.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
        EXPECT_EQ(some[i].queries, runs[i]) << i;
        EXPECT_EQ(some[i].keys, batch.segments[i].keys) << i;
    }
    // Rows apart from each other are runs of their own.
    const std::int64_t ends[] = {0, 2};
    EXPECT_EQ(xlrm::segments_of(batch.segments, xlrm::needed_rows(ends).list).front().queries,
              (std::vector<xlrm::QueryRun>{{0, 1, 0}, {1, 1, 2}}));
}

TEST(PackedBatch, ADistantEqualPrefixIsNotShared) {
    const std::int64_t order[] = {0, 3, 1};
    EXPECT_EQ(xlrm::pack(example(), order).physical_tokens(), 5 + 3 + 4);
}

TEST(PackedBatch, WithoutSharingEachTextKeepsItsOwnPrefixSegment) {
    const PackedBatch batch = xlrm::pack(example(), kAll, false);
    EXPECT_EQ(batch.physical_tokens(), 17);
    EXPECT_EQ(batch.segments.size(), 8U);
}

TEST(PackedBatch, RowFindsEveryTokenOfEveryText) {
    const xlrm::ItemSet set = example();
    for (const bool share : {true, false}) {
        const PackedBatch batch = xlrm::pack(set, kAll, share);
        for (std::size_t t = 0; t < set.answers.size(); ++t) {
            const auto text = set.answer_tokens(set.answers[t]);
            for (std::size_t i = 0; i < text.size(); ++i) {
                const std::int64_t row = batch.row(static_cast<std::int64_t>(t), static_cast<std::int64_t>(i));
                EXPECT_EQ(values(batch.tokens)[static_cast<std::size_t>(row)], text[i]);
                EXPECT_EQ(values(batch.positions)[static_cast<std::size_t>(row)], static_cast<std::int32_t>(i));
            }
            EXPECT_EQ(batch.texts[t].last, batch.row(static_cast<std::int64_t>(t), static_cast<std::int64_t>(text.size()) - 1));
        }
    }
}

// The completion may begin within the prompt, whose rows are shared by the item's texts or not.
TEST(PackedBatch, PredictsACompletionThatBeginsBeforeThePromptEnds) {
    xlrm::ItemSet set;
    set.tokens = {1, 2, 3, 4, 5, 1, 2, 3, 4, 6};
    set.answers = {{0, 5, 4, 2}, {5, 5, 4}};
    const std::vector<std::int64_t> answers = {0, 1};
    const xlrm::PackedBatch batch = xlrm::pack(set, answers, true);
    EXPECT_EQ(batch.physical_tokens(), 6);
    const xlrm::PredictedTokens predicted = xlrm::predicted_tokens(batch, set, answers);
    EXPECT_EQ(values(predicted.targets), (std::vector<std::int32_t>{3, 4, 5, 6}));
    EXPECT_EQ(predicted.rows, (std::vector<std::int64_t>{1, 2, 3, 3}));
    EXPECT_EQ(predicted.counts, (std::vector<std::int64_t>{3, 1}));
}

TEST(PackedBatch, RefusesAnEmptyText) {
    xlrm::ItemSet set;
    set.answers = {{0, 0, 0}};
    const std::int64_t only[] = {0};
    EXPECT_THROW(xlrm::pack(set, only), xlrm::Error);
}

TEST(PackedBatch, NeededRowsAreAscendingAndOnlyOnce) {
    const std::int64_t asked[] = {7, 2, 7, 4};
    const xlrm::NeededRows needed = xlrm::needed_rows(asked);
    const auto* rows = needed.rows.const_data_ptr<std::int64_t>();
    const auto* place = needed.place.const_data_ptr<std::int64_t>();
    EXPECT_EQ(std::vector<std::int64_t>(rows, rows + needed.rows.numel()), (std::vector<std::int64_t>{2, 4, 7}));
    EXPECT_EQ(std::vector<std::int64_t>(place, place + 4), (std::vector<std::int64_t>{2, 0, 2, 1}));
}

}  // namespace
