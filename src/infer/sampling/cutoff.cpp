#include "sampling/cutoff.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace xlrm {
namespace {

struct Candidate {
    float logit;
    std::int32_t id;
    double mass;
    bool before(const Candidate& other) const { return logit > other.logit || (logit == other.logit && id < other.id); }
};

bool ordered(const Candidate& a, const Candidate& b) { return a.before(b); }

// Calls take(id, logit) for every value that is at least `least`; blocks without one are passed over.
template <class Take>
void for_each_at_least(const RowView& view, float least, Take&& take) {
    for (std::size_t block = 0; block < view.maxima.size(); ++block) {
        if (view.maxima[block] < least) continue;
        const std::size_t begin = block * static_cast<std::size_t>(kScanBlock);
        const std::size_t end = std::min(begin + static_cast<std::size_t>(kScanBlock), view.row.size());
        for (std::size_t id = begin; id < end; ++id)
            if (view.row[id] >= least) take(static_cast<std::int32_t>(id), view.row[id]);
    }
}

float kth_largest(std::vector<float>& values, std::int64_t k) {
    const auto place = values.begin() + (k - 1);
    std::nth_element(values.begin(), place, values.end(), std::greater<>());
    return *place;
}

}  // namespace

Cutoff top_k_cutoff(const RowView& view, std::int64_t k) {
    if (k >= static_cast<std::int64_t>(view.row.size())) return {};
    // k blocks have a value of at least this, so no fewer values do.
    float least = -std::numeric_limits<float>::infinity();
    if (k <= static_cast<std::int64_t>(view.maxima.size())) {
        std::vector<float> maxima(view.maxima.begin(), view.maxima.end());
        least = kth_largest(maxima, k);
    }
    std::vector<float> values;
    for_each_at_least(view, least, [&](std::int32_t, float value) { values.push_back(value); });
    return {.value = kth_largest(values, k)};
}

Cutoff top_p_cutoff(const RowView& view, const Cutoff& kept, double mass, double p) {
    // All tokens below this have less than 1 − p of the mass together, so the place is not among them.
    const double least =
        static_cast<double>(view.max) + std::log((1.0 - p) * mass / (2.0 * static_cast<double>(view.row.size())));
    std::vector<Candidate> candidates;
    for_each_at_least(view, static_cast<float>(least), [&](std::int32_t id, float logit) {
        if (kept.keeps(logit, id)) candidates.push_back({logit, id, static_cast<double>(exp_of(logit - view.max))});
    });
    auto begin = candidates.begin();
    auto end = candidates.end();
    double before = 0.0;  // mass of what comes before `begin` in the order
    while (end - begin > 32) {
        const auto middle = begin + (end - begin) / 2;
        std::nth_element(begin, middle, end, ordered);
        double half = 0.0;
        for (auto it = begin; it != middle; ++it) half += it->mass;
        if (before + half < p * mass) {
            before += half;
            begin = middle;
        } else {
            end = middle;
        }
    }
    std::sort(begin, end, ordered);
    // The first of a second half is kept, since what is before it has too little.
    auto last = begin;
    for (auto it = begin; it != end && (it == begin || before < p * mass); ++it) {
        last = it;
        before += it->mass;
    }
    return {.value = last->logit, .last_id = last->id};
}

Cutoff min_p_cutoff(float max, double p) {
    const double least = static_cast<double>(max) + std::log(p);
    float value = static_cast<float>(least);
    if (static_cast<double>(value) < least) value = std::nextafter(value, std::numeric_limits<float>::infinity());
    return {.value = value};
}

}  // namespace xlrm
