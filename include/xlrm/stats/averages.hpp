#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace xlrm {

//! Arithmetic mean, summed in order. REQUIRES: values.
inline double mean(std::span<const double> values) {
    double sum = 0.0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

//! Of an even number of values the mean of the two in the middle. REQUIRES: values.
inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

}  // namespace xlrm
