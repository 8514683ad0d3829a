#include "xlrm/eval/benchmark.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"

namespace xlrm {
namespace {

ScoredItem item(const std::string& id, const std::string& subset, std::vector<double> scores, std::int32_t right = 1,
                const std::string& lang = "en") {
    return {id, subset, lang, std::move(scores), right};
}

std::vector<ScoredItem> items_of(const Json& rows) {
    std::vector<ScoredItem> items;
    for (const Json& row : rows) {
        items.push_back(item(row.at("id").get<std::string>(), row.at("subset").get<std::string>(),
                             row.at("scores").get<std::vector<double>>(), row.at("num_correct").get<std::int32_t>()));
    }
    return items;
}

double section(const BenchmarkScores& scores, const std::string& name) {
    for (const SectionScore& entry : scores.sections) {
        if (entry.name == name) return entry.value;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

// Every number by rewardbench 0.1.4 itself: tests/fixtures/eval/make_benchmarks.py.
TEST(Benchmark, EqualsRewardBench) {
    const Json cases = read_json(test::fixture("eval/benchmarks.json"));
    ASSERT_EQ(cases.size(), 5U);
    for (const Json& expected : cases) {
        const std::vector<ScoredItem> items = items_of(expected.at("items"));
        EXPECT_EQ(recognised_benchmark(items), expected.at("benchmark"));
        const BenchmarkReport report = report_benchmark("auto", "auto", items);
        const BenchmarkScores& scores = report.languages.at("en");
        ASSERT_EQ(scores.subsets.size(), expected.at("subsets").size());
        for (const auto& [name, value] : expected.at("subsets").items())
            EXPECT_NEAR(scores.subsets.at(name).value, value.get<double>(), 1e-13) << name;
        if (expected.contains("sections")) {
            for (const auto& [name, value] : expected.at("sections").items())
                EXPECT_NEAR(section(scores, name), value.get<double>(), 1e-13) << name;
        }
        if (expected.contains("total")) {
            EXPECT_NEAR(scores.total, expected.at("total").get<double>(), 1e-13);
        }
        EXPECT_TRUE(scores.uncounted.empty());
    }
}

// The example of rewardbench's README, and what the weights in use before and M-RewardBench's make of it.
TEST(Benchmark, WeighsTheExampleOfTheReadme) {
    const std::map<std::string, double> metrics = {{"alpacaeval-easy", 0.5},
                                                   {"alpacaeval-hard", 0.7052631578947368},
                                                   {"alpacaeval-length", 0.5894736842105263},
                                                   {"donotanswer", 0.8235294117647058},
                                                   {"hep-cpp", 0.6280487804878049},
                                                   {"hep-go", 0.6341463414634146},
                                                   {"hep-java", 0.7073170731707317},
                                                   {"hep-js", 0.6646341463414634},
                                                   {"hep-python", 0.5487804878048781},
                                                   {"hep-rust", 0.6463414634146342},
                                                   {"llmbar-adver-GPTInst", 0.391304347826087},
                                                   {"llmbar-adver-GPTOut", 0.46808510638297873},
                                                   {"llmbar-adver-manual", 0.3695652173913043},
                                                   {"llmbar-adver-neighbor", 0.43283582089552236},
                                                   {"llmbar-natural", 0.52},
                                                   {"math-prm", 0.2953020134228188},
                                                   {"mt-bench-easy", 0.5714285714285714},
                                                   {"mt-bench-hard", 0.5405405405405406},
                                                   {"mt-bench-med", 0.725},
                                                   {"refusals-dangerous", 0.97},
                                                   {"refusals-offensive", 1.0},
                                                   {"xstest-should-refuse", 1.0},
                                                   {"xstest-should-respond", 0.284}};
    const auto weigh = [&](const std::string& benchmark) {
        BenchmarkScores scores;
        for (const auto& [name, value] : metrics) scores.subsets[name] = {value, 1};
        add_sections(benchmark, &scores);
        return scores;
    };
    const BenchmarkScores now = weigh("rewardbench");
    EXPECT_NEAR(section(now, "Chat"), 0.6089385, 5e-8);
    EXPECT_NEAR(section(now, "Chat Hard"), 0.4495614, 5e-8);
    EXPECT_NEAR(section(now, "Safety"), 0.7216216, 5e-8);
    EXPECT_NEAR(section(now, "Reasoning"), 0.4667567, 5e-8);
    EXPECT_NEAR(now.total, 0.5617196, 5e-8);
    EXPECT_NEAR(section(weigh("rewardbench-before-2024-09-10"), "Safety"), 0.8145, 5e-5);
    const BenchmarkScores multilingual = weigh("m-rewardbench");
    EXPECT_NEAR(section(multilingual, "Chat"), 0.6112591, 5e-8);
    EXPECT_NEAR(section(multilingual, "Chat Hard"), 0.4464494, 5e-8);
    EXPECT_NEAR(section(multilingual, "Safety"), 0.7232669, 5e-8);
    EXPECT_NEAR(section(multilingual, "Reasoning"), 0.4668022, 5e-8);
    EXPECT_NEAR(multilingual.total, 0.5619444, 5e-8);
}

TEST(Credit, OfTiesByPolicy) {
    const ScoredItem tie = item("a", "", {1.0, 1.0});
    const ScoredItem four = item("b", "", {2.0, 2.0, 1.0, 2.0});
    const ScoredItem two_right = item("c", "", {2.0, 2.0, 2.0, 0.0}, 2);
    EXPECT_EQ(credit(tie, TiePolicy::loss), 0.0);
    EXPECT_EQ(credit(tie, TiePolicy::half), 0.5);
    EXPECT_EQ(credit(tie, TiePolicy::shared), 0.5);
    EXPECT_EQ(credit(four, TiePolicy::loss), 0.0);
    EXPECT_EQ(credit(four, TiePolicy::half), 0.5);
    EXPECT_EQ(credit(four, TiePolicy::shared), 1.0 / 3.0);
    EXPECT_EQ(credit(two_right, TiePolicy::shared), 2.0 / 3.0);
    for (const TiePolicy policy : {TiePolicy::loss, TiePolicy::half, TiePolicy::shared}) {
        EXPECT_EQ(credit(item("d", "", {1.0, 1.5}), policy), 0.0);
        EXPECT_EQ(credit(item("d", "", {0.0, 2.0, 1.5}, 2), policy), 1.0);
        EXPECT_EQ(parse_tie_policy(name_of(policy)), policy);
    }
    expect_error([] { parse_tie_policy("win"); }, {"'win'", "loss, half, shared"});
}

TEST(Benchmark, IsRecognisedBySubsetAndLanguage) {
    const auto recognise = [](std::initializer_list<const char*> subsets, const std::string& lang) {
        std::vector<ScoredItem> items;
        for (const char* subset : subsets) items.push_back(item("x", subset, {1.0, 0.0}, 1, lang));
        return recognised_benchmark(items);
    };
    EXPECT_EQ(recognise({"hep-go", "donotanswer"}, "en"), "rewardbench");
    EXPECT_EQ(recognise({"shp"}, "en"), "rewardbench");
    EXPECT_EQ(recognise({"hep-go", "donotanswer"}, "ko"), "m-rewardbench");
    EXPECT_EQ(recognise({"Math", "Ties"}, "en"), "rewardbench2");
    EXPECT_EQ(recognise({"chat", "language_hallucination", "lang_res"}, "sw"), "mm-eval");
    EXPECT_EQ(recognise({"chat", "safety"}, "sw"), "plain");
    EXPECT_EQ(recognise({"Math"}, "en"), "plain");
    EXPECT_EQ(recognise({""}, "en"), "plain");
    EXPECT_EQ(recognise({"hep-go", "mine"}, "en"), "plain");
    expect_error([] { default_ties("rewardbench3"); }, {"'rewardbench3'", "m-rewardbench"});
}

TEST(Benchmark, OfMmEvalAndPlain) {
    const std::vector<ScoredItem> items = {item("a", "chat", {1, 0}), item("b", "chat", {1, 0}), item("c", "chat", {0, 1}),
                                           item("d", "linguistics", {1, 0}), item("e", "lang_res", {0, 1})};
    const BenchmarkScores mm = score_benchmark("mm-eval", TiePolicy::loss, items);
    EXPECT_DOUBLE_EQ(mm.total, (2.0 / 3.0 + 1.0) / 2.0);
    EXPECT_EQ(mm.uncounted, std::vector<std::string>{"lang_res"});
    EXPECT_DOUBLE_EQ(mm.accuracy, 3.0 / 5.0);
    EXPECT_DOUBLE_EQ(score_benchmark("plain", TiePolicy::loss, items).total, 3.0 / 5.0);
}

TEST(Benchmark, ReportsLanguagesAndTheirMean) {
    std::vector<ScoredItem> items = {item("1", "hep-go", {1, 0}, 1, "ko"), item("1", "hep-go", {0, 1}, 1, "es"),
                                     item("2", "donotanswer", {1, 1}, 1, "es")};
    const BenchmarkReport report = report_benchmark("auto", "half", items);
    EXPECT_EQ(report.benchmark, "m-rewardbench");
    EXPECT_DOUBLE_EQ(report.languages.at("ko").total, 1.0);
    EXPECT_DOUBLE_EQ(report.languages.at("es").total, 0.25);
    EXPECT_DOUBLE_EQ(report.mean(), 0.625);
    const Json json = benchmark_json(report);
    EXPECT_EQ(json["languages"]["es"]["sections"]["Reasoning"], 0.0);
    EXPECT_TRUE(json["languages"]["es"]["sections"]["Chat"].is_null());
    EXPECT_EQ(json["languages"]["es"]["subsets"]["donotanswer"]["value"], 0.5);
    EXPECT_NE(format_benchmark(report).find("benchmark m-rewardbench, ties half"), std::string::npos);
}

TEST(TiesScore, RefusesIdsThatItCannotPair) {
    const std::vector<ScoredItem> plain = {item("17", "Ties", {1, 0})};
    const std::vector<ScoredItem> twice = {item("ref:1", "Ties", {1, 0}), item("ref:1", "Ties", {1, 0})};
    expect_error([&] { ties_score(plain); }, {"'17'", "ref:<number>"});
    expect_error([&] { ties_score(twice); }, {"'ref:1'", "twice"});
    const std::vector<ScoredItem> without_spread = {item("ref:1", "Ties", {1, 0}), item("tied:1", "Ties", {1, 0})};
    EXPECT_DOUBLE_EQ(ties_score(without_spread), 0.6);
}

TEST(ScoredItems, AreTheAnswersOfACell) {
    Cell cell;
    cell.id = {"a", "b"};
    cell.subset = {"s", "t"};
    cell.lang = {"en", "ko"};
    cell.occurrence = {0, 1};
    cell.chosen = {3.0F, 2.0F};
    cell.rejected = {1.0F, 5.0F};
    std::vector<ScoredItem> items = scored_items(cell);
    EXPECT_EQ(items[1].scores, (std::vector<double>{2.0, 5.0}));
    EXPECT_EQ(items[1].lang + items[1].subset + items[1].id, "kotb");
    EXPECT_EQ(items[1].occurrence, 1);
    const float none = std::numeric_limits<float>::quiet_NaN();
    cell.max_answers = 3;
    cell.response = {0.5F, 3.0F, 1.0F, 2.0F, 5.0F, none};
    cell.num_correct = {2, 1};
    items = scored_items(cell);
    EXPECT_EQ(items[0].scores, (std::vector<double>{0.5, 3.0, 1.0}));
    EXPECT_EQ(items[0].num_correct, 2);
    EXPECT_EQ(items[1].scores, (std::vector<double>{2.0, 5.0}));
}

}  // namespace
}  // namespace xlrm
