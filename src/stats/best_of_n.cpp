#include "xlrm/stats/best_of_n.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "xlrm/core/error.hpp"

namespace xlrm {

Estimate best_of_n(std::span<const double> proxy, std::span<const double> gold, std::int64_t n) {
    const auto count = static_cast<std::int64_t>(proxy.size());
    require(proxy.size() == gold.size() && n >= 1 && n <= count,
            "best of n needs 1 <= n <= the number of answers, and a gold score for each");
    std::vector<std::size_t> order(proxy.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return proxy[i]; });
    double sum = 0.0;
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        double golds = 0.0, weight = 0.0;
        for (; end < order.size() && proxy[order[end]] == proxy[order[begin]]; ++end) {
            const auto i = static_cast<double>(end + 1), k = static_cast<double>(n), all = static_cast<double>(count);
            golds += gold[order[end]];
            // C(i−1, n−1) / C(N, n)
            if (i >= k)
                weight += std::exp(std::lgamma(i) - std::lgamma(k) - std::lgamma(i - k + 1.0) - std::lgamma(all + 1.0) +
                                   std::lgamma(k + 1.0) + std::lgamma(all - k + 1.0));
        }
        sum += weight * golds / static_cast<double>(end - begin);
        begin = end;
    }
    return sum;
}

double best_of_n_divergence_bound(std::int64_t n) {
    const auto count = static_cast<double>(n);
    return std::log(count) - (count - 1.0) / count;
}

}  // namespace xlrm
