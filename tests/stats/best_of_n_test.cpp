#include "xlrm/stats/best_of_n.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

// Mean over all orders of the answers of the gold score of the first among the best of the first n: equal proxies are in every
// order equally often.
std::vector<double> by_permutations(const std::vector<double>& proxy, const std::vector<double>& gold) {
    std::vector<std::size_t> order(proxy.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<double> sums(proxy.size(), 0.0);
    double orders = 0.0;
    do {
        std::size_t best = order[0];
        for (std::size_t n = 0; n < order.size(); ++n) {
            if (proxy[order[n]] > proxy[best]) best = order[n];
            sums[n] += gold[best];
        }
        orders += 1.0;
    } while (std::ranges::next_permutation(order).found);
    for (double& sum : sums) sum /= orders;
    return sums;
}

TEST(BestOfN, EqualsWorkedValues) {
    const std::vector<double> proxy = {1, 2, 3, 4, 5}, gold = {0.1, 0.5, 0.2, 0.9, 0.4};
    for (const auto& [n, expected] : std::vector<std::pair<std::int64_t, double>>{{1, 0.42}, {2, 0.52}, {3, 0.53}, {5, 0.40}})
        EXPECT_NEAR(best_of_n(proxy, gold, n).value(), expected, 1e-12) << n;
    EXPECT_NEAR(best_of_n_divergence_bound(2), 0.1931471806, 1e-10);
    EXPECT_NEAR(best_of_n_divergence_bound(4), 0.6362943611, 1e-10);
    EXPECT_NEAR(best_of_n_divergence_bound(16), 1.8350887222, 1e-10);
    EXPECT_EQ(best_of_n_divergence_bound(1), 0.0);
}

TEST(BestOfN, EqualsEnumerationAlsoAmongEqualScores) {
    Random random(7);
    for (const std::uint64_t different : {2, 3, 5, 1000}) {  // few different proxies: many ties
        std::vector<double> proxy, gold;
        for (int i = 0; i < 7; ++i) {
            proxy.push_back(static_cast<double>(random.below(different)));
            gold.push_back(random.uniform());
        }
        const std::vector<double> expected = by_permutations(proxy, gold), found = best_of_n_curve(proxy, gold, 7);
        ASSERT_EQ(found.size(), 7U);
        for (std::size_t n = 0; n < 7; ++n) EXPECT_NEAR(found[n], expected[n], 1e-13) << different << " proxies, n = " << n + 1;
        for (std::int64_t n = 1; n <= 7; ++n)
            EXPECT_EQ(best_of_n(proxy, gold, n).value(), found[static_cast<std::size_t>(n - 1)]);
    }
}

TEST(BestOfN, DoesNotDependOnTheOrderOfTheAnswers) {
    const std::vector<double> proxy = {3, 1, 3, 2, 1}, gold = {0.5, 0.25, 1, 0.75, 0};
    const std::vector<double> reversed_proxy(proxy.rbegin(), proxy.rend()), reversed_gold(gold.rbegin(), gold.rend());
    EXPECT_EQ(best_of_n_curve(proxy, gold, 5), best_of_n_curve(reversed_proxy, reversed_gold, 5));
}

TEST(BestOfN, OfManyAnswersItEndsAtTheBest) {
    std::vector<double> proxy, gold;
    for (int i = 0; i < 1024; ++i) proxy.push_back((i * 37) % 1024), gold.push_back(proxy.back() / 1023.0);
    const std::vector<double> curve = best_of_n_curve(proxy, gold, 1024);
    EXPECT_NEAR(curve.front(), 0.5, 1e-12);
    // The expected largest of n of 0 … N−1 without replacement is n (N + 1)/(n + 1) − 1.
    for (const double n : {2.0, 16.0, 500.0, 1023.0})
        EXPECT_NEAR(curve[static_cast<std::size_t>(n) - 1], (n * 1025.0 / (n + 1.0) - 1.0) / 1023.0, 1e-11) << n;
    EXPECT_NEAR(curve.back(), 1.0, 1e-12);
}

TEST(BestOfN, RefusesWhatHasNoValue) {
    const std::vector<double> proxy = {1, 1, 1}, gold = {0.0, 0.3, 0.9};
    for (std::int64_t n = 1; n <= 3; ++n) EXPECT_NEAR(best_of_n(proxy, gold, n).value(), 0.4, 1e-14) << n;
    EXPECT_THROW(best_of_n(proxy, gold, 4), Error);
    EXPECT_THROW(best_of_n(proxy, gold, 0), Error);
    EXPECT_THROW(best_of_n({}, {}, 1), Error);
    EXPECT_THROW(best_of_n(proxy, std::vector<double>{1.0}, 1), Error);
}

}  // namespace
}  // namespace xlrm
