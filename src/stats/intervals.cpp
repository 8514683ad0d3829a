#include "xlrm/stats/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xlrm/core/error.hpp"

namespace xlrm {

Interval wilson_interval(std::int64_t successes, std::int64_t total, double z) {
    if (total <= 0 || successes < 0 || successes > total)
        fail("no Wilson interval for " + std::to_string(successes) + " of " + std::to_string(total) +
             " (it needs 0 <= successes <= total and at least one item)");
    const double n = static_cast<double>(total);
    const double share = static_cast<double>(successes) / n;
    const double scale = 1.0 + z * z / n;
    const double centre = (share + z * z / (2.0 * n)) / scale;
    const double half = z / scale * std::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

ClusteredMean clustered_mean(std::span<const double> values, std::span<const std::string> clusters, double z) {
    if (values.empty() || values.size() != clusters.size())
        fail("a clustered mean of " + std::to_string(values.size()) + " values with " + std::to_string(clusters.size()) +
             " cluster names (it needs one name for each value, and at least one)");
    ClusteredMean result;
    result.observations = static_cast<std::int64_t>(values.size());
    const double n = static_cast<double>(values.size());
    double sum = 0.0;
    for (const double value : values) sum += value;
    result.mean = sum / n;

    // Residuals are added up in order of appearance, so that the bits do not depend on the hash table.
    std::unordered_map<std::string_view, std::size_t> index;
    std::vector<double> residuals;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto [found, is_new] = index.try_emplace(clusters[i], residuals.size());
        if (is_new) residuals.push_back(0.0);
        residuals[found->second] += values[i] - result.mean;
    }
    double squares = 0.0;
    for (const double residual : residuals) squares += residual * residual;
    result.clusters = static_cast<std::int64_t>(residuals.size());
    result.standard_error = std::sqrt(squares) / n;
    result.interval = {result.mean - z * result.standard_error, result.mean + z * result.standard_error};
    return result;
}

}  // namespace xlrm
