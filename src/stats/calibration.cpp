#include "xlrm/stats/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

double sigmoid(double x) { return x >= 0.0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x)); }
double loss(double margin) { return margin > 0.0 ? std::log1p(std::exp(-margin)) : -margin + std::log1p(std::exp(margin)); }

ReliabilityBin bin_of(std::span<const double> margins, std::span<const std::size_t> rows) {
    ReliabilityBin bin;
    for (const std::size_t row : rows) {
        bin.confidence += sigmoid(std::abs(margins[row]));
        bin.accuracy += margins[row] > 0.0 ? 1.0 : 0.0;
        ++bin.items;
    }
    bin.confidence /= static_cast<double>(bin.items);
    bin.accuracy /= static_cast<double>(bin.items);
    return bin;
}

std::vector<std::size_t> by_confidence(std::span<const double> margins) {
    std::vector<std::size_t> order(margins.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::abs(margins[i]); });
    return order;
}

}  // namespace

Estimate negative_log_likelihood(std::span<const double> margins) {
    if (margins.empty()) return Undefined::no_items;
    double sum = 0.0;
    for (const double margin : margins) sum += loss(margin);
    return sum / static_cast<double>(margins.size());
}

Estimate brier_score(std::span<const double> margins) {
    if (margins.empty()) return Undefined::no_items;
    double sum = 0.0;
    for (const double margin : margins) sum += sigmoid(-margin) * sigmoid(-margin);
    return sum / static_cast<double>(margins.size());
}

std::vector<ReliabilityBin> equal_mass_bins(std::span<const double> margins, std::int64_t bins) {
    require(bins > 0, "calibration needs at least one bin");
    const std::vector<std::size_t> order = by_confidence(margins);
    std::vector<ReliabilityBin> result;
    const std::size_t count = static_cast<std::size_t>(bins);
    std::size_t begin = 0;
    for (std::size_t b = 0; b < count; ++b) {
        const std::size_t size = order.size() / count + (b < order.size() % count ? 1 : 0);
        if (size > 0) result.push_back(bin_of(margins, std::span(order).subspan(begin, size)));
        begin += size;
    }
    return result;
}

std::vector<ReliabilityBin> equal_width_bins(std::span<const double> margins, std::int64_t bins) {
    require(bins > 0, "calibration needs at least one bin");
    std::vector<std::vector<std::size_t>> rows(static_cast<std::size_t>(bins));
    for (const std::size_t row : by_confidence(margins)) {
        const double place = (sigmoid(std::abs(margins[row])) - 0.5) * 2.0 * static_cast<double>(bins);
        const double bin = std::clamp(std::ceil(place) - 1.0, 0.0, static_cast<double>(bins - 1));
        rows[static_cast<std::size_t>(bin)].push_back(row);
    }
    std::vector<ReliabilityBin> result;
    for (const std::vector<std::size_t>& members : rows)
        if (!members.empty()) result.push_back(bin_of(margins, members));
    return result;
}

Estimate expected_calibration_error(std::span<const ReliabilityBin> bins) {
    double sum = 0.0;
    std::int64_t items = 0;
    for (const ReliabilityBin& bin : bins) {
        sum += static_cast<double>(bin.items) * std::abs(bin.confidence - bin.accuracy);
        items += bin.items;
    }
    if (items == 0) return Undefined::no_items;
    return sum / static_cast<double>(items);
}

Estimate maximum_calibration_error(std::span<const ReliabilityBin> bins) {
    if (bins.empty()) return Undefined::no_items;
    double largest = 0.0;
    for (const ReliabilityBin& bin : bins) largest = std::max(largest, std::abs(bin.confidence - bin.accuracy));
    return largest;
}

Estimate temperature(std::span<const double> margins) {
    if (margins.empty()) return Undefined::no_items;
    if (std::accumulate(margins.begin(), margins.end(), 0.0) <= 0.0) return Undefined::no_signal;
    if (*std::min_element(margins.begin(), margins.end()) >= 0.0) return Undefined::separable;
    const auto slope = [&](double scale) {  // of the loss in scale = 1/T; rises with it
        double sum = 0.0;
        for (const double margin : margins) sum -= margin * sigmoid(-margin * scale);
        return sum;
    };
    double high = 1.0;
    while (slope(high) < 0.0) high *= 2.0;
    double low = 0.0;
    while (high - low > 1e-12 * high) {
        const double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        (slope(middle) < 0.0 ? low : high) = middle;
    }
    return 2.0 / (low + high);
}

}  // namespace xlrm
