#include "xlrm/stats/best_of_n.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// Golds by ascending proxy, of equal proxies each their mean: among equals any is taken as often as another.
std::vector<double> golds_by_proxy(std::span<const double> proxy, std::span<const double> gold) {
    std::vector<std::size_t> order(proxy.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return proxy[i]; });
    std::vector<double> sorted(order.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        double sum = 0.0;
        for (; end < order.size() && proxy[order[end]] == proxy[order[begin]]; ++end) sum += gold[order[end]];
        for (std::size_t i = begin; i < end; ++i) sorted[i] = sum / static_cast<double>(end - begin);
        begin = end;
    }
    return sorted;
}

}  // namespace

std::vector<double> best_of_n_curve(std::span<const double> proxy, std::span<const double> gold, std::int64_t most) {
    require(proxy.size() == gold.size() && most >= 1 && most <= std::ssize(proxy),
            "best of n needs 1 <= n <= the number of answers, and a gold score for each");
    const std::vector<double> sorted = golds_by_proxy(proxy, gold);
    const auto all = static_cast<double>(sorted.size());
    std::vector<double> shares(sorted.size(), 1.0);  // C(i−1, n−1) / C(N−1, n−1), which is N/n times the weight
    std::vector<double> curve;
    for (std::int64_t count = 1; count <= most; ++count) {
        const auto n = static_cast<double>(count);
        double sum = 0.0;
        for (std::size_t i = 0; i < sorted.size(); ++i) sum += shares[i] * sorted[i];
        curve.push_back(sum * n / all);
        for (std::size_t i = 0; i < sorted.size(); ++i)
            shares[i] *= std::max(0.0, static_cast<double>(i + 1) - n) / std::max(1.0, all - n);
    }
    return curve;
}

Estimate best_of_n(std::span<const double> proxy, std::span<const double> gold, std::int64_t n) {
    return best_of_n_curve(proxy, gold, n).back();
}

double best_of_n_divergence_bound(std::int64_t n) {
    const auto count = static_cast<double>(n);
    return std::log(count) - (count - 1.0) / count;
}

}  // namespace xlrm
