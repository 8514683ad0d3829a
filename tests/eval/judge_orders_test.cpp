#include "xlrm/eval/judge_orders.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/eval/benchmark.hpp"

namespace xlrm {
namespace {

const JudgeVerdict kA = JudgeVerdict::answer(0), kB = JudgeVerdict::answer(1), kTie = JudgeVerdict::tie(),
                   kNone = JudgeVerdict::none("x");

OrderedReplies both(const JudgeVerdict& ab, const JudgeVerdict& ba) { return {JudgeReply{ab}, JudgeReply{ba}}; }

// The chosen answer is A in the order AB and B in the order BA.
TEST(JudgeOrders, PreferenceOfEveryModeAndPairOfVerdicts) {
    struct Row {
        JudgeVerdict ab, ba;
        double as_ab, as_ba, consistent, average;
    };
    const std::vector<Row> rows = {
        {kA, kB, 1.0, 1.0, 1.0, 1.0},  // the chosen answer both times
        {kB, kA, 0.0, 0.0, 0.0, 0.0},  // the other one both times
        {kA, kA, 1.0, 0.0, 0.5, 0.5},  // the first shown both times
        {kB, kB, 0.0, 1.0, 0.5, 0.5},  // the second shown both times
        {kTie, kTie, 0.5, 0.5, 0.5, 0.5},  {kA, kTie, 1.0, 0.5, 0.5, 0.75},  {kTie, kA, 0.5, 0.0, 0.5, 0.25},
        {kNone, kB, 0.5, 1.0, 0.5, 0.75},  {kA, kNone, 1.0, 0.5, 0.5, 0.75}, {kNone, kNone, 0.5, 0.5, 0.5, 0.5},
        {kNone, kTie, 0.5, 0.5, 0.5, 0.5},
    };
    for (const Row& row : rows) {
        const OrderedReplies replies = both(row.ab, row.ba);
        const std::string what = name_of(row.ab) + " " + name_of(row.ba);
        EXPECT_EQ(preference(OrderMode::ab, replies), row.as_ab) << what;
        EXPECT_EQ(preference(OrderMode::ba, replies), row.as_ba) << what;
        EXPECT_EQ(preference(OrderMode::both_consistent, replies), row.consistent) << what;
        EXPECT_EQ(preference(OrderMode::both_average, replies), row.average) << what;
    }
    const OrderedReplies only_ab{JudgeReply{kA}, {}};
    EXPECT_EQ(preference(OrderMode::ab, only_ab), 1.0);
    for (const OrderMode mode : {OrderMode::ba, OrderMode::both_consistent, OrderMode::both_average})
        EXPECT_EQ(preference(mode, only_ab), std::nullopt);
}

TEST(JudgeOrders, CountsWhatAJudgeDoes) {
    JudgeCounts counts;
    const OrderMode mode = OrderMode::both_consistent;
    counts.add(mode, both(kA, kB));  // agree
    counts.add(mode, both(kA, kA));  // first slot twice
    counts.add(mode, both(kTie, kB));
    counts.add(mode, {JudgeReply{kNone, true}, JudgeReply{kNone, false}});  // one cut off, one nonsense
    counts.add(mode, {JudgeReply{kA, true}, std::nullopt});  // a verdict before the end; the other order is missing
    EXPECT_EQ(counts.items, 4);
    EXPECT_EQ(counts.missing, 1);
    EXPECT_EQ(counts.even, 3);  // the first slot twice, a tie and an answer, nothing twice
    EXPECT_EQ(counts.replies, 9);
    EXPECT_EQ(counts.verdicts, (std::map<std::string, std::int64_t>{{"A", 4}, {"B", 2}, {"none", 2}, {"tie", 1}}));
    EXPECT_EQ(counts.ties, 1);
    EXPECT_EQ(counts.unparsed.count, 2);
    EXPECT_EQ(counts.unparsed.total, 9);
    EXPECT_EQ(counts.truncated.count, 1);
    EXPECT_EQ(counts.first_slot.count, 4);
    EXPECT_EQ(counts.first_slot.total, 6);
    EXPECT_EQ(counts.order_agreement.count, 1);
    EXPECT_EQ(counts.order_agreement.total, 2);
    // scipy 1.17.1 binomtest(4, 6).proportion_ci(method="wilson")
    EXPECT_NEAR(counts.first_slot.interval().low, 0.2999932, 1e-6);
    EXPECT_NEAR(counts.first_slot.interval().high, 0.9032287, 1e-6);
    const Json json = counts.as_json();
    EXPECT_EQ(json.at("first_slot").at("count"), 4);
    EXPECT_NEAR(json.at("first_slot").at("share").get<double>(), 4.0 / 6.0, 1e-15);
    EXPECT_EQ(json.at("first_slot").at("low"), counts.first_slot.interval().low);
    EXPECT_TRUE(JudgeCounts().as_json().at("unparsed").at("share").is_null());
    // A mode that uses one order counts that one alone.
    JudgeCounts one;
    one.add(OrderMode::ab, both(kB, kA));
    EXPECT_EQ(one.replies, 1);
    EXPECT_EQ(one.first_slot.count, 0);
    EXPECT_EQ(one.first_slot.total, 1);
    EXPECT_EQ(one.order_agreement.total, 0);
}

// A judge that is right with probability 0.8 and otherwise takes the first slot with probability 0.7: what is planted is found
// within its interval, and both-average is free of the bias.
TEST(JudgeOrders, FindsAPlantedBias) {
    Random random(5);
    JudgeCounts counts;
    double average = 0.0;
    constexpr int kItems = 4000;
    for (int i = 0; i < kItems; ++i) {
        OrderedReplies replies;
        for (const bool swapped : {false, true}) {
            const bool knows = random.uniform() < 0.8;
            const bool first = knows ? !swapped : random.uniform() < 0.7;
            (swapped ? replies.ba : replies.ab) = JudgeReply{first ? kA : kB};
        }
        counts.add(OrderMode::both_average, replies);
        average += *preference(OrderMode::both_average, replies) / kItems;
    }
    const double first_slot = 0.8 * 0.5 + 0.2 * 0.7;
    EXPECT_LT(counts.first_slot.interval().low, first_slot);
    EXPECT_GT(counts.first_slot.interval().high, first_slot);
    EXPECT_GT(counts.first_slot.interval().low, 0.5);
    EXPECT_NEAR(average, 0.9, 0.01);
    // Named twice: chosen twice or the other twice. P(chosen named | AB) = 0.94, | BA) = 0.86.
    const double agreement = 0.94 * 0.86 + 0.06 * 0.14;
    EXPECT_LT(counts.order_agreement.interval().low, agreement);
    EXPECT_GT(counts.order_agreement.interval().high, agreement);
}

TEST(JudgeOrders, MajorityOfSeveralJudgements) {
    const auto of = [](std::vector<JudgeVerdict> verdicts) { return name_of(majority(verdicts)); };
    EXPECT_EQ(of({kA, kB, kA}), "A");
    EXPECT_EQ(of({kA, kB}), "tie");
    EXPECT_EQ(of({kTie, kTie, kA}), "tie");
    EXPECT_EQ(of({kNone, kNone, kB}), "B");
    EXPECT_EQ(of({kNone, kNone}), "none");
    EXPECT_EQ(of({}), "none");
    EXPECT_EQ(of({JudgeVerdict::answer(3), JudgeVerdict::answer(3), kA, kB}), "D");
    EXPECT_EQ(of({JudgeVerdict::rating(7), kNone, JudgeVerdict::rating(9), JudgeVerdict::rating(8)}), "8");
    EXPECT_EQ(of({JudgeVerdict::rating(7), JudgeVerdict::rating(8)}), "7");
}

double worth(const std::vector<float>& scores, TiePolicy ties) {
    return credit({"x", "", "en", {scores.begin(), scores.end()}, 1, 0}, ties);
}

// What rewardbench's own functions make of replies to the answers of an item (make_judge_verdicts.py).
TEST(JudgeOrders, RatingsCountAsInRewardBench) {
    const Json golden = read_json(test::fixture("eval/judge_verdicts.json"));
    const auto check = [&](const char* items, const char* parser, TiePolicy ties) {
        std::set<double> seen;
        for (const Json& row : golden.at(items)) {
            std::vector<JudgeVerdict> ratings;
            for (const Json& text : row.at("replies"))
                ratings.push_back(JudgeParser(parser, JudgeForm::rating).parse(text.get<std::string>()));
            EXPECT_DOUBLE_EQ(worth(rating_scores(ratings, unrated_rule(parser)), ties), row.at("score").get<double>()) << row;
            seen.insert(row.at("score").get<double>());
        }
        return seen;
    };
    EXPECT_EQ(check("two_rated", "rewardbench_v1", TiePolicy::half), (std::set<double>{0.0, 0.5, 1.0}));
    EXPECT_GE(check("four_rated", "rewardbench_v2", TiePolicy::shared).size(), 5U);
}

TEST(JudgeOrders, RatingsAndRankingsAreScores) {
    const JudgeVerdict seven = JudgeVerdict::rating(7), three = JudgeVerdict::rating(3);
    EXPECT_EQ(rating_scores(std::vector{seven, three, three}, Unrated::even), (std::vector<float>{7, 3, 3}));
    EXPECT_EQ(rating_scores(std::vector{seven, kNone, three}, Unrated::loses), (std::vector<float>{7, kUnrated, 3}));
    EXPECT_EQ(rating_scores(std::vector{seven, kNone, three}, Unrated::even), (std::vector<float>(3, kUnrated)));
    for (const std::string& parser : JudgeParser::names())
        EXPECT_EQ(unrated_rule(parser) == Unrated::loses, parser == "rewardbench_v2") << parser;
    // Answer A, the right one, is shown as C.
    EXPECT_EQ(shown_order(2, 4), "CBAD");
    EXPECT_EQ(shown_order(0, 4), "ABCD");
    EXPECT_EQ(ranking_scores(JudgeVerdict::answer(2), "CBAD"), (std::vector<float>{1, 0, 0, 0}));
    EXPECT_EQ(ranking_scores(JudgeVerdict::answer(0), "CBAD"), (std::vector<float>{0, 0, 1, 0}));
    EXPECT_EQ(ranking_scores(JudgeVerdict::answer(1), "CBAD"), (std::vector<float>{0, 1, 0, 0}));
    // run_generative_v2.py: 1 for the winner's letter, 0 for another's, 0.25 for none.
    EXPECT_EQ(worth(ranking_scores(JudgeVerdict::answer(2), "CBAD"), TiePolicy::shared), 1.0);
    EXPECT_EQ(worth(ranking_scores(JudgeVerdict::answer(3), "CBAD"), TiePolicy::shared), 0.0);
    EXPECT_EQ(worth(ranking_scores(kNone, "CBAD"), TiePolicy::shared), 0.25);
    EXPECT_EQ(worth(ranking_scores(kTie, "CBAD"), TiePolicy::shared), 0.25);
}

TEST(JudgeOrders, CountsTheLanguagesOfReplies) {
    JudgeCounts counts;
    counts.add(OrderMode::both_average, {JudgeReply{kA, false, "es"}, JudgeReply{kB, false, "en"}});
    counts.add(OrderMode::both_average, {JudgeReply{kA, false, "es"}, JudgeReply{kB}});
    EXPECT_EQ(counts.languages, (std::map<std::string, std::int64_t>{{"en", 1}, {"es", 2}}));
    EXPECT_EQ(counts.as_json().at("languages").at("es"), 2);
}

TEST(JudgeOrders, TheRightAnswerIsShownAtEveryPlaceAlike) {
    std::vector<int> places(4);
    for (int i = 0; i < 4000; ++i) ++places[static_cast<std::size_t>(shown_at(3, "item-" + std::to_string(i / 2), i % 2, 4))];
    double statistic = 0.0;
    for (const int count : places) statistic += (count - 1000.0) * (count - 1000.0) / 1000.0;
    EXPECT_LT(statistic, 16.27);  // chi-square, 3 degrees, p = 0.001
    EXPECT_EQ(shown_at(3, "x", 0, 4), shown_at(3, "x", 0, 4));
    EXPECT_EQ(shown_at(3, "x", 0, 1), 0);
}

TEST(JudgeOrders, NamesAreThoseOfTheOption) {
    for (const char* name : {"AB", "BA", "both-consistent", "both-average"}) EXPECT_STREQ(name_of(parse_order_mode(name)), name);
    expect_error([] { parse_order_mode("both"); }, {"--orders", "both-average"});
}

}  // namespace
}  // namespace xlrm
