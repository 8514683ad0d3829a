#include "xlrm/align/best_of_n.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace xlrm {
namespace {

// Two samples a prompt: at n = 2 the proxy's choice.
ScoredPrompt prompt(const std::string& id, const std::string& lang, std::vector<double> proxy, std::vector<double> gold) {
    return {{id, lang, 0}, {0, 1}, {std::move(proxy), std::move(gold)}};
}

const std::vector<TableValue>& row(const ResultTable& table, const std::string& lang, std::int64_t n, std::size_t place = 2) {
    for (const auto& row : table.rows)
        if (std::get<std::string>(row[0]) == lang && std::get<std::int64_t>(row[place]) == n) return row;
    throw std::runtime_error("no row of " + lang);
}

EstimateWithInterval interval(const std::vector<TableValue>& row, std::size_t column) {
    return std::get<EstimateWithInterval>(row[column]);
}

TEST(BestOfNTables, AreMeansOverPromptsWithClusteredIntervals) {
    BestOfNInput input;
    input.proxies = {"rm"};
    input.gold = "gold";
    // Choices: 4, 1, the mean of 2 and 6 (equal proxies). Translations of q1 are one cluster of `all`.
    input.prompts = {prompt("q1", "en", {0, 1}, {2, 4}), prompt("q1", "ko", {5, 3}, {1, 3}), prompt("q2", "en", {7, 7}, {2, 6})};
    const auto tables = best_of_n_tables(input);
    const ResultTable& table = tables[0];
    ASSERT_EQ(table.rows.size(), 6U);
    EXPECT_TRUE(tables[1].rows.empty());

    const auto& en = row(table, "en", 2);
    EXPECT_EQ(std::get<std::int64_t>(en[3]), 2);
    EXPECT_NEAR(std::get<Estimate>(en[4]).value(), std::log(2.0) - 0.5, 1e-15);
    EXPECT_DOUBLE_EQ(interval(en, 5).value.value(), 4.0);
    EXPECT_DOUBLE_EQ(interval(en, 6).value.value(), 0.5);  // 4 − 3, 4 − 4
    EXPECT_NEAR(interval(en, 6).standard_error.value(), std::sqrt(0.25 + 0.25) / 2.0, 1e-15);
    EXPECT_NEAR(interval(en, 6).high.value(), 0.5 + 1.959963984540054 * std::sqrt(0.5) / 2.0, 1e-12);
    EXPECT_DOUBLE_EQ(std::get<Estimate>(en[7]).value(), 4.0);  // 1, 7
    EXPECT_DOUBLE_EQ(std::get<Estimate>(en[8]).value(), 5.0);  // 4, 6
    EXPECT_EQ(std::get<std::int64_t>(en[9]), 1);
    EXPECT_DOUBLE_EQ(interval(row(table, "en", 1), 5).value.value(), 3.5);

    const auto& all = row(table, "all", 2);
    EXPECT_DOUBLE_EQ(interval(all, 5).value.value(), 3.0);
    EXPECT_NEAR(interval(all, 5).standard_error.value(), std::sqrt(1.0 + 1.0) / 3.0, 1e-15);  // (4 − 3) + (1 − 3), 4 − 3

    const EstimateWithInterval alone = interval(row(table, "ko", 2), 5);
    EXPECT_DOUBLE_EQ(alone.value.value(), 1.0);
    EXPECT_EQ(alone.low.why(), Undefined::one_cluster);
}

TEST(BestOfNTables, SamplesThatAreAllEqualGainNothing) {
    BestOfNInput input;
    input.proxies = {"rm", "other"};
    for (const char* id : {"a", "b"}) input.prompts.push_back({{id, "it", 0}, {0, 1, 2}, {{3, 3, 3}, {1, 2, 3}, {0, 0.25, 0.5}}});
    const auto tables = best_of_n_tables(input);
    const auto& last = row(tables[0], "it", 3);
    EXPECT_DOUBLE_EQ(interval(last, 6).value.value(), 0.0);
    EXPECT_DOUBLE_EQ(interval(last, 6).low.value(), 0.0);
    EXPECT_EQ(std::get<std::int64_t>(last[9]), 2);
    ASSERT_EQ(tables[0].rows.size(), 6U);
    ASSERT_EQ(tables[1].rows.size(), 3U);
    EXPECT_DOUBLE_EQ(interval(row(tables[1], "it", 3, 3), 5).value.value(), -0.25);
    EXPECT_DOUBLE_EQ(interval(row(tables[1], "it", 1, 3), 5).value.value(), 0.0);
}

TEST(BestOfNTables, EndAtThePromptWithFewestSamples) {
    BestOfNInput input;
    input.proxies = {"rm"};
    input.prompts = {{{"a", "en", 0}, {0, 1, 2}, {{1, 2, 3}, {1, 2, 3}}}, prompt("b", "en", {1, 2}, {1, 2})};
    const auto tables = best_of_n_tables(input);
    EXPECT_EQ(tables[0].rows.size(), 2U);
    EXPECT_NEAR(interval(row(tables[0], "en", 2), 5).value.value(), (8.0 / 3.0 + 2.0) / 2.0, 1e-14);
}

TEST(BestOfNTables, TheLevelIsThatOfTheInterval) {
    BestOfNInput input;
    input.proxies = {"rm"};
    input.level = 0.9;
    input.prompts = {prompt("a", "en", {0, 1}, {0, 0}), prompt("b", "en", {0, 1}, {2, 2})};
    const EstimateWithInterval gold = interval(row(best_of_n_tables(input)[0], "en", 2), 5);
    EXPECT_NEAR(gold.high.value() - gold.value.value(), 1.6448536269514722 * gold.standard_error.value(), 1e-12);
}

}  // namespace
}  // namespace xlrm
