#include "xlrm/stats/mcnemar.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/distributions.hpp"

namespace xlrm {

namespace {

constexpr double kMostSteps = 4e8;

//! P(|Σ ± s| >= |observed|), the distribution of the sum of those with a plus sign built one after another.
double convolved_tail(const std::vector<std::int64_t>& sizes, std::int64_t total, std::int64_t observed) {
    std::vector<double> probability(static_cast<std::size_t>(total) + 1, 0.0);
    probability[0] = 1.0;
    std::int64_t reached = 0;
    for (const std::int64_t size : sizes) {
        reached += size;
        for (std::int64_t u = reached; u >= 0; --u) {
            const auto at = static_cast<std::size_t>(u);
            const double without = u <= reached - size ? probability[at] : 0.0;
            const double with = u >= size ? probability[static_cast<std::size_t>(u - size)] : 0.0;
            probability[at] = 0.5 * (without + with);
        }
    }
    double tail = 0.0;
    for (std::int64_t u = 0; u <= total; ++u) {
        if (std::abs(2 * u - total) >= std::abs(observed)) tail += probability[static_cast<std::size_t>(u)];
    }
    return std::min(1.0, tail);
}

}  // namespace

PairedCounts count_pairs(std::span<const bool> first, std::span<const bool> second) {
    require(first.size() == second.size(), "paired counts of two lists of unequal lengths");
    PairedCounts counts;
    for (std::size_t i = 0; i < first.size(); ++i)
        ++(first[i] ? (second[i] ? counts.both : counts.first) : (second[i] ? counts.second : counts.neither));
    return counts;
}

McNemar mcnemar(const PairedCounts& counts) {
    require(counts.both >= 0 && counts.first >= 0 && counts.second >= 0 && counts.neither >= 0,
            "McNemar's test of counts below 0");
    McNemar result;
    if (counts.items() == 0) return result;
    const auto n = static_cast<double>(counts.items());
    const auto m = static_cast<double>(counts.discordant());
    const auto difference = static_cast<double>(counts.first - counts.second);
    result.gap = difference / n;
    result.standard_error = Undefined::too_few_items;
    if (counts.items() > 1) result.standard_error = std::sqrt((m - difference * difference / n) / (n * (n - 1.0)));
    if (counts.discordant() == 0) {
        for (Estimate* p :
             {&result.exact, &result.mid_p, &result.chi_square, &result.chi_square_p, &result.corrected, &result.corrected_p})
            *p = Undefined::no_discordant_items;
        return result;
    }
    const std::int64_t least = std::min(counts.first, counts.second);
    const double twice = 2.0 * fair_binomial_cdf(least, counts.discordant());
    result.exact = std::min(1.0, twice);
    result.mid_p = std::min(1.0, twice - fair_binomial(least, counts.discordant()));
    const double statistic = difference * difference / m;
    const double corrected = std::pow(std::max(0.0, std::abs(difference) - 1.0), 2) / m;
    result.chi_square = statistic;
    result.chi_square_p = chi_square_tail(statistic, 1);
    result.corrected = corrected;
    result.corrected_p = chi_square_tail(corrected, 1);
    return result;
}

Estimate sign_flip_test(std::span<const std::int64_t> cluster_sums) {
    std::vector<std::int64_t> sizes;
    std::int64_t unit = 0;
    for (const std::int64_t sum : cluster_sums) {
        if (sum != 0) sizes.push_back(std::abs(sum));
        unit = std::gcd(unit, sum);
    }
    if (sizes.empty()) return cluster_sums.empty() ? Undefined::no_items : Undefined::no_discordant_items;
    for (std::int64_t& size : sizes) size /= unit;
    std::sort(sizes.begin(), sizes.end());
    const std::int64_t total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
    const std::int64_t observed = std::accumulate(cluster_sums.begin(), cluster_sums.end(), std::int64_t{0}) / unit;
    if (static_cast<double>(total) * static_cast<double>(sizes.size()) <= kMostSteps)
        return convolved_tail(sizes, total, observed);
    double squares = 0.0;
    for (const std::int64_t size : sizes) squares += static_cast<double>(size) * static_cast<double>(size);
    return 2.0 * normal_cdf(-std::abs(static_cast<double>(observed)) / std::sqrt(squares));
}

}  // namespace xlrm
