#include "xlrm/stats/holm.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Indices by ascending p; those without one count as 1.
std::vector<std::size_t> ascending(std::span<const Estimate> p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const Estimate& value : p)
        require(!value.defined() || (value.value() >= 0.0 && value.value() <= 1.0), "a p-value outside [0, 1]");
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i].value_or(1.0); });
    return order;
}

}  // namespace

std::vector<Estimate> holm(std::span<const Estimate> p) {
    std::vector<Estimate> adjusted(p.begin(), p.end());
    double largest = 0.0;
    std::size_t left = p.size();
    for (const std::size_t i : ascending(p)) {
        largest = std::max(largest, std::min(1.0, static_cast<double>(left--) * p[i].value_or(1.0)));
        if (p[i].defined()) adjusted[i] = largest;
    }
    return adjusted;
}

std::vector<Estimate> benjamini_hochberg(std::span<const Estimate> p) {
    std::vector<Estimate> adjusted(p.begin(), p.end());
    const std::vector<std::size_t> order = ascending(p);
    double smallest = 1.0;
    for (std::size_t rank = order.size(); rank > 0; --rank) {
        const std::size_t i = order[rank - 1];
        smallest = std::min(smallest, static_cast<double>(p.size()) * p[i].value_or(1.0) / static_cast<double>(rank));
        if (p[i].defined()) adjusted[i] = smallest;
    }
    return adjusted;
}

}  // namespace xlrm
