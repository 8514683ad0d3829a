#include "xlrm/stats/rank_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "xlrm/core/error.hpp"

namespace xlrm {

std::vector<double> mean_ranks(std::span<const double> values) {
    std::vector<std::pair<double, std::size_t>>
        sorted;  // values beside their places: sorting places alone looks values up far away
    sorted.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) sorted.emplace_back(values[i], i);
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<double> ranks(values.size());
    for (std::size_t begin = 0; begin < sorted.size();) {
        std::size_t end = begin + 1;
        while (end < sorted.size() && sorted[end].first == sorted[begin].first) ++end;
        const double rank = 0.5 * static_cast<double>(begin + 1 + end);
        for (std::size_t i = begin; i < end; ++i) ranks[sorted[i].second] = rank;
        begin = end;
    }
    return ranks;
}

Estimate pearson(std::span<const double> x, std::span<const double> y) {
    require(x.size() == y.size(), "a correlation of lists of unequal lengths");
    if (x.size() < 2) return Undefined::too_few_items;
    const auto n = static_cast<double>(x.size());
    const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
    const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double xx = 0.0, yy = 0.0, xy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    if (xx == 0.0 || yy == 0.0) return Undefined::no_variation;
    return std::clamp(xy / std::sqrt(xx) / std::sqrt(yy), -1.0, 1.0);
}

Estimate spearman(std::span<const double> x, std::span<const double> y) { return pearson(mean_ranks(x), mean_ranks(y)); }

}  // namespace xlrm
