#include "xlrm/infer/sampling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>

#include "sampling/cutoff.hpp"
#include "sampling/row_scan.hpp"
#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> floats(const Json& list) {
    std::vector<float> values;
    for (const Json& value : list) values.push_back(value.is_string() ? -kInfinity : value.get<float>());
    return values;
}

SamplingOptions options_of(const Json& json) {
    SamplingOptions options;
    options.temperature = json.value("temperature", 1.0);
    options.top_k = json.value("top_k", std::int64_t{0});
    options.top_p = json.value("top_p", 1.0);
    options.min_p = json.value("min_p", 0.0);
    options.repetition_penalty = json.value("repetition_penalty", 1.0);
    return options;
}

std::vector<float> random_row(std::size_t size, float scale, std::uint64_t seed) {
    Random random(seed);
    std::vector<float> row(size);
    for (float& value : row) value = scale * static_cast<float>(random.normal());
    return row;
}

TEST(Sampling, EveryOptionGivesWhatTransformersProcessorsGive) {
    const Json golden = read_json(test::fixture("infer/sampling.json"));
    ASSERT_GT(golden.at("cases").size(), 80U);
    for (const Json& entry : golden.at("cases")) {
        const Json& row = golden.at("rows").at(entry.at("row").get<std::size_t>());
        const std::vector<float> logits = floats(row.at("logits"));
        const auto context = row.at("context").get<std::vector<std::int32_t>>();
        Sampler sampler(options_of(entry.at("options")));
        const std::vector<float> processed = sampler.processed(logits, context);
        std::vector<std::int32_t> kept;
        std::vector<float> scores;
        for (std::size_t i = 0; i < processed.size(); ++i) {
            if (processed[i] == -kInfinity) continue;
            kept.push_back(static_cast<std::int32_t>(i));
            scores.push_back(processed[i]);
        }
        EXPECT_EQ(kept, entry.at("kept").get<std::vector<std::int32_t>>()) << entry.at("row") << entry.at("options");
        EXPECT_EQ(scores, floats(entry.at("scores"))) << entry.at("row") << entry.at("options");
        // What is drawn is kept, whatever the number.
        for (const double uniform : {0.0, 0.31, 0.77, 1.0 - 0x1.0p-53}) {
            const std::int32_t token = sampler.choose(logits, context, uniform).token;
            EXPECT_TRUE(std::ranges::count(kept, token) == 1) << token << entry.at("options");
        }
    }
}

// An oracle that sorts: the same rules over large rows with many equal values.
std::vector<bool> kept_by_sorting(const std::vector<float>& row, const SamplingOptions& options) {
    std::vector<std::size_t> order(row.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return row[a] > row[b]; });
    const float max = row[order[0]];
    const auto probability = [&](std::size_t id) { return std::exp(static_cast<double>(row[id]) - static_cast<double>(max)); };
    std::size_t size = order.size();
    if (options.top_k > 0 && options.top_k < static_cast<std::int64_t>(size)) {
        size = static_cast<std::size_t>(options.top_k);
        while (size < order.size() && row[order[size]] == row[order[size - 1]]) ++size;
    }
    double mass = 0.0;
    for (std::size_t i = 0; i < size; ++i) mass += probability(order[i]);
    double before = 0.0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < size && (i == 0 || before < options.top_p * mass); ++i) {
        before += probability(order[i]);
        last = i;
    }
    std::vector<bool> kept(row.size());
    for (std::size_t i = 0; i <= last; ++i) kept[order[i]] = probability(order[i]) >= options.min_p;
    return kept;
}

TEST(Sampling, SelectionKeepsWhatSortingKeeps) {
    for (const std::size_t size : {1U, 7U, 128U, 129U, 1000U, 20000U}) {
        for (const float scale : {0.5F, 3.0F}) {
            std::vector<float> row = random_row(size, scale, size);
            // Quarters: many equal values, also at the borders.
            for (std::size_t i = 0; i < size; ++i)
                if (i % 3 == 0) row[i] = std::round(row[i] * 4.0F) / 4.0F;
            for (const std::int64_t k : {0, 1, 3, 50, 700, 19999}) {
                for (const double p : {1.0, 0.999, 0.9, 0.5, 0.01}) {
                    SamplingOptions options{.top_k = k, .top_p = p, .min_p = k == 3 ? 0.2 : 0.0};
                    Sampler sampler(options);
                    const std::vector<float> processed = sampler.processed(row, {});
                    const std::vector<bool> wanted = kept_by_sorting(row, options);
                    for (std::size_t i = 0; i < size; ++i)
                        ASSERT_EQ(processed[i] != -kInfinity, wanted[i])
                            << "id " << i << " of " << size << ", k " << k << ", p " << p;
                }
            }
        }
    }
}

TEST(Sampling, GreedyTakesTheLowestIdOfTheLargestLogit) {
    std::vector<float> row(1000, 0.25F);
    row[700] = row[300] = row[999] = 2.0F;
    Sampler sampler({.greedy = true});
    const TokenChoice choice = sampler.choose(row, {}, 0.9);
    EXPECT_EQ(choice.token, 300);
    EXPECT_NEAR(choice.log_probability, 2.0 - std::log(3 * std::exp(2.0) + 997 * std::exp(0.25)), 1e-6);
    EXPECT_EQ(choice.drawn_log_probability, 0.0);
    // Repetition counts for greedy too.
    Sampler penalised({.greedy = true, .repetition_penalty = 1.5});
    EXPECT_EQ(penalised.choose(row, std::vector<std::int32_t>{300, 300, 999}, 0.0).token, 700);
    EXPECT_NEAR(penalised.choose(row, std::vector<std::int32_t>{300}, 0.0).log_probability, choice.log_probability, 1e-12);
}

TEST(Sampling, LogProbabilitiesAreThoseOfTheModelAndOfTheDraw) {
    const std::vector<float> row = random_row(5000, 4.0F, 9);
    Sampler sampler({.temperature = 0.5, .top_k = 10});
    const TokenChoice choice = sampler.choose(row, {}, 0.5);
    const auto value = [&](std::size_t i) { return static_cast<double>(row[i]); };
    double own = 0.0;
    for (std::size_t i = 0; i < row.size(); ++i) own += std::exp(value(i));
    const auto token = static_cast<std::size_t>(choice.token);
    EXPECT_NEAR(choice.log_probability, value(token) - std::log(own), 2e-6);
    std::vector<float> sorted = row;
    std::ranges::sort(sorted, std::greater<>());
    double drawn = 0.0;
    for (std::size_t i = 0; i < 10; ++i) drawn += std::exp(2.0 * static_cast<double>(sorted[i]));
    EXPECT_NEAR(choice.drawn_log_probability, 2.0 * value(token) - std::log(drawn), 2e-6);
}

TEST(Sampling, LogSoftmaxIsThatOfDoublePrecision) {
    std::vector<float> row = random_row(777, 5.0F, 2);
    row[3] = -kInfinity;
    std::vector<float> out(row.size());
    log_softmax(row, out);
    double mass = 0.0;
    for (const float value : row) mass += std::exp(static_cast<double>(value));
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i == 3)
            EXPECT_EQ(out[i], -kInfinity);
        else
            EXPECT_NEAR(out[i], static_cast<double>(row[i]) - std::log(mass), 3e-6);
    }
    row[500] = std::nanf("");
    expect_error([&] { log_softmax(row, out); }, {"NaN"});
}

// Upper quantile of chi-square with k degrees (Wilson and Hilferty), normal quantile z.
double chi_square_limit(double k, double z) { return k * std::pow(1.0 - 2.0 / (9.0 * k) + z * std::sqrt(2.0 / (9.0 * k)), 3.0); }

TEST(Sampling, FrequenciesAreThoseOfTheDistribution) {
    constexpr int kDraws = 80000;
    constexpr std::size_t kSize = 300;  // more than two blocks
    const std::vector<float> row = random_row(kSize, 1.0F, 17);
    for (const double temperature : {1.0, 0.7}) {
        Sampler sampler({.temperature = temperature});
        double mass = 0.0;
        std::vector<double> wanted(kSize);
        for (std::size_t i = 0; i < kSize; ++i) mass += wanted[i] = std::exp(static_cast<double>(row[i]) / temperature);
        std::vector<double> count(kSize);
        for (int draw = 0; draw < kDraws; ++draw) {
            // Positions of texts, samples of a prompt and prompts by turns: all of the key must spread.
            const SampleNumbers numbers(7, "prompt-" + std::to_string(draw % 50), draw / 50 % 2, draw / 100 % 40);
            count[static_cast<std::size_t>(sampler.choose(row, {}, numbers.uniform(draw / 4000)).token)] += 1.0;
        }
        double statistic = 0.0;
        for (std::size_t i = 0; i < kSize; ++i) {
            const double expected = kDraws * wanted[i] / mass;
            statistic += (count[i] - expected) * (count[i] - expected) / expected;
        }
        EXPECT_LT(statistic, chi_square_limit(kSize - 1, 3.1)) << "temperature " << temperature;   // p = 0.001
        EXPECT_GT(statistic, chi_square_limit(kSize - 1, -3.1)) << "temperature " << temperature;  // too even
    }
}

TEST(Sampling, NumbersComeFromTheKeyAlone) {
    const SampleNumbers numbers(1, "x-17", 0, 3);
    const double value = numbers.uniform(40);
    EXPECT_EQ(SampleNumbers(1, "x-17", 0, 3).uniform(40), value);
    EXPECT_NE(SampleNumbers(2, "x-17", 0, 3).uniform(40), value);
    EXPECT_NE(SampleNumbers(1, "x-18", 0, 3).uniform(40), value);
    EXPECT_NE(SampleNumbers(1, "x-17", 1, 3).uniform(40), value);
    EXPECT_NE(SampleNumbers(1, "x-17", 0, 4).uniform(40), value);
    EXPECT_NE(numbers.uniform(41), value);
    EXPECT_NE(SampleNumbers(UINT64_C(1) << 32U, "x-17", 0, 3).uniform(40), SampleNumbers(0, "x-17", 0, 3).uniform(40));
    // Philox of this counter and key, computed with an independent implementation (make_sample_numbers.py).
    const Json golden = read_json(test::fixture("infer/sample_numbers.json"));
    ASSERT_GE(golden.size(), 8U);
    for (const Json& entry : golden) {
        const SampleNumbers known(entry.at("seed").get<std::uint64_t>(), entry.at("id").get<std::string>(),
                                  entry.at("occurrence"), entry.at("sample"));
        EXPECT_EQ(known.uniform(entry.at("position")), entry.at("uniform").get<double>()) << entry;
    }
}

TEST(Sampling, AnyMinusInfinityIsNeverDrawn) {
    std::vector<float> row(400, -kInfinity);
    row[133] = -5.0F;
    row[7] = -5.5F;
    for (const double uniform : {0.0, 0.2, 0.999999, 1.0 - 0x1.0p-53}) {
        const std::int32_t token = Sampler({}).choose(row, {}, uniform).token;
        EXPECT_TRUE(token == 133 || token == 7) << token;
        EXPECT_EQ(Sampler({.top_p = 0.5}).choose(row, {}, uniform).token, 133);
    }
}

TEST(Sampling, RefusesWhatCannotBeDrawnFrom) {
    for (const SamplingOptions& options :
         {SamplingOptions{}, SamplingOptions{.greedy = true}, SamplingOptions{.top_k = 2}, SamplingOptions{.top_p = 0.5}}) {
        Sampler sampler(options);
        std::vector<float> row(200, 0.0F);
        row[150] = std::numeric_limits<float>::quiet_NaN();
        expect_error([&] { sampler.choose(row, {}, 0.5); }, {"NaN"});
        expect_error([&] { sampler.choose(std::vector<float>(20, std::nanf("")), {}, 0.5); }, {"finite"});
        row[150] = kInfinity;
        expect_error([&] { sampler.choose(row, {}, 0.5); }, {"finite"});
        expect_error([&] { sampler.choose(std::vector<float>(3, -kInfinity), {}, 0.5); }, {"finite"});
        expect_error([&] { sampler.choose({}, {}, 0.5); }, {"empty"});
    }
    expect_error([] { Sampler({.temperature = 0.0}); }, {"--temperature", "--greedy"});
    expect_error([] { Sampler({.top_k = -1}); }, {"--top-k"});
    expect_error([] { Sampler({.top_p = 0.0}); }, {"--top-p"});
    expect_error([] { Sampler({.top_p = 1.5}); }, {"--top-p"});
    expect_error([] { Sampler({.min_p = -0.1}); }, {"--min-p"});
    expect_error([] { Sampler({.repetition_penalty = 0.0}); }, {"--repetition-penalty"});
}

TEST(Sampling, ExponentialsAreThoseOfTheMathLibrary) {
    double worst = 0.0;
    for (float x = 0.0F; x > -86.9F; x -= 0.0137F) {
        const double exact = std::exp(static_cast<double>(x));
        worst = std::max(worst, std::abs(static_cast<double>(exp_of(x)) / exact - 1.0));
    }
    EXPECT_LT(worst, 2e-7);
    EXPECT_EQ(exp_of(0.0F), 1.0F);
    EXPECT_EQ(exp_of(-88.0F), 0.0F);
    EXPECT_EQ(exp_of(-kInfinity), 0.0F);
    EXPECT_TRUE(std::isnan(exp_of(std::nanf(""))));
}

TEST(Sampling, ChoosingIsFarFasterThanSorting) {
    const std::vector<float> row = random_row(150000, 3.0F, 1);
    const auto best_us = [](int runs, auto&& work) {
        double best = 1e9;
        for (int i = 0; i < runs; ++i) {
            const auto start = std::chrono::steady_clock::now();
            work(i);
            best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
        }
        return best;
    };
    const double sort_us = best_us(3, [&](int) {
        std::vector<float> sorted = row;
        std::ranges::sort(sorted, std::greater<>());
        ASSERT_GT(sorted[0], sorted[149999]);
    });
    std::printf("sort of 150,000 logits: %.0f us\n", sort_us);
    const auto time = [&](const char* name, const SamplingOptions& options) {
        Sampler sampler(options);
        const double us = best_us(20, [&](int i) { EXPECT_GE(sampler.choose(row, {}, 0.05 * i).token, 0); });
        std::printf("%-28s %.0f us\n", name, us);
        return us;
    };
    EXPECT_LT(time("greedy", {.greedy = true}), sort_us / 10);
    EXPECT_LT(time("temperature 1", {}), sort_us / 10);
    EXPECT_LT(time("temperature 0.7", {.temperature = 0.7}), sort_us / 10);
    EXPECT_LT(time("top-k 50", {.top_k = 50}), sort_us / 10);
    EXPECT_LT(time("temperature 0.7, top-p 0.9", {.temperature = 0.7, .top_p = 0.9}), sort_us / 2);
    EXPECT_LT(time("min-p 0.05", {.min_p = 0.05}), sort_us / 10);
}

}  // namespace
}  // namespace xlrm
