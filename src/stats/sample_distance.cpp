#include "xlrm/stats/sample_distance.hpp"

#include <algorithm>
#include <cmath>

namespace xlrm {

namespace {

//! Calls step(width, F_x − F_y) for each stretch between neighbouring values of both samples, and after the last value of each
//! tie.
template <class Step>
void walk(std::vector<double>& x, std::vector<double>& y, const Step& step) {
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    const auto nx = static_cast<double>(x.size()), ny = static_cast<double>(y.size());
    std::size_t i = 0, j = 0;
    while (i < x.size() || j < y.size()) {
        const double at = j == y.size() || (i < x.size() && x[i] <= y[j]) ? x[i] : y[j];
        while (i < x.size() && x[i] == at) ++i;
        while (j < y.size() && y[j] == at) ++j;
        double next = at;
        if (i < x.size()) next = x[i];
        if (j < y.size()) next = i < x.size() ? std::min(next, y[j]) : y[j];
        step(next - at, static_cast<double>(i) / nx - static_cast<double>(j) / ny);
    }
}

}  // namespace

Estimate wasserstein_1(std::vector<double> x, std::vector<double> y) {
    if (x.empty() || y.empty()) return Undefined::no_items;
    double sum = 0.0;
    walk(x, y, [&](double width, double difference) { sum += width * std::abs(difference); });
    return sum;
}

Estimate kolmogorov_smirnov(std::vector<double> x, std::vector<double> y) {
    if (x.empty() || y.empty()) return Undefined::no_items;
    double largest = 0.0;
    walk(x, y, [&](double, double difference) { largest = std::max(largest, std::abs(difference)); });
    return largest;
}

}  // namespace xlrm
