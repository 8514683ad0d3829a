#include "xlrm/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "xlrm/core/error.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/stats/distributions.hpp"

namespace xlrm {

namespace {

//! Quantile by linear interpolation between order statistics (Hyndman and Fan's type 7, as numpy.percentile).
double quantile(const std::vector<double>& sorted, double share) {
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, static_cast<double>(sorted.size() - 1)));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double deviation(const std::vector<double>& values) {
    double mean = 0.0;
    for (const double value : values) mean += value;
    mean /= static_cast<double>(values.size());
    double squares = 0.0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double acceleration(const std::vector<double>& jackknifed, std::span<const std::int32_t> strata) {
    std::vector<std::vector<double>> by_stratum;
    for (std::size_t g = 0; g < jackknifed.size(); ++g) {
        const auto stratum = static_cast<std::size_t>(strata[g]);
        if (by_stratum.size() <= stratum) by_stratum.resize(stratum + 1);
        if (std::isfinite(jackknifed[g])) by_stratum[stratum].push_back(jackknifed[g]);
    }
    double cubes = 0.0;
    double squares = 0.0;
    for (const std::vector<double>& values : by_stratum) {
        const auto n = static_cast<double>(values.size());
        double mean = 0.0;
        for (const double value : values) mean += value / n;
        for (const double value : values) {
            const double u = (n - 1.0) * (mean - value);
            cubes += u * u * u / (n * n * n);
            squares += u * u / (n * n);
        }
    }
    return squares > 0.0 ? cubes / (6.0 * std::pow(squares, 1.5)) : 0.0;
}

//! The share of the resampled values at which BCa puts a bound of nominal share `share`.
double adjusted_share(double share, double z0, double a) {
    const double z = z0 + normal_quantile(share);
    return normal_cdf(z0 + z / (1.0 - a * z));
}

}  // namespace

Resamples::Resamples(std::vector<std::int32_t> strata, std::uint64_t seed) : strata_(std::move(strata)), seed_(seed) {
    require(!strata_.empty(), "a bootstrap without clusters");
    for (std::size_t g = 0; g < strata_.size(); ++g) {
        require(strata_[g] >= 0, "a bootstrap with a negative stratum");
        const auto stratum = static_cast<std::size_t>(strata_[g]);
        if (members_.size() <= stratum) members_.resize(stratum + 1);
        members_[stratum].push_back(static_cast<std::int64_t>(g));
    }
}

std::vector<double> Resamples::draw(std::int64_t index) const {
    Random random(seed_, static_cast<std::uint64_t>(index));
    std::vector<double> weights(strata_.size(), 0.0);
    for (const std::vector<std::int64_t>& members : members_) {
        for (std::size_t k = 0; k < members.size(); ++k)
            weights[static_cast<std::size_t>(members[random.below(members.size())])] += 1.0;
    }
    return weights;
}

bool Resamples::can_vary() const {
    return std::any_of(members_.begin(), members_.end(), [](const auto& members) { return members.size() > 1; });
}

std::vector<Replicates> replicate(const Resamples& resamples, std::int64_t count, std::int64_t statistics,
                                  const std::function<void(std::span<const double>, std::span<double>)>& compute) {
    std::vector<Replicates> all(static_cast<std::size_t>(statistics));
    std::vector<double> values(static_cast<std::size_t>(statistics));
    std::vector<double> weights(static_cast<std::size_t>(resamples.clusters()), 1.0);
    compute(weights, values);
    for (std::size_t k = 0; k < all.size(); ++k) all[k].value = values[k];
    for (std::int64_t r = 0; r < count; ++r) {
        compute(resamples.draw(r), values);
        for (std::size_t k = 0; k < all.size(); ++k) all[k].resampled.push_back(values[k]);
    }
    for (double& weight : weights) {
        weight = 0.0;
        compute(weights, values);
        weight = 1.0;
        for (std::size_t k = 0; k < all.size(); ++k) all[k].jackknifed.push_back(values[k]);
    }
    return all;
}

EstimateWithInterval bootstrap_interval(const Replicates& replicates, std::span<const std::int32_t> strata, IntervalKind kind,
                                        double level) {
    require(level > 0.0 && level < 1.0, "a bootstrap interval of a level outside (0, 1)");
    require(replicates.jackknifed.size() == strata.size(), "a bootstrap with other clusters than strata");
    const auto without = [&](Undefined why) {
        const Estimate value = std::isfinite(replicates.value) ? Estimate(replicates.value) : Estimate(Undefined::not_identified);
        return EstimateWithInterval{value, why, why, why};
    };
    std::vector<double> sorted = replicates.resampled;
    if (!std::isfinite(replicates.value) || sorted.size() < 2) return without(Undefined::not_identified);
    if (!std::ranges::all_of(sorted, [](double value) { return std::isfinite(value); }))
        return without(Undefined::not_identified);
    std::sort(sorted.begin(), sorted.end());
    if (sorted.front() == sorted.back()) return without(Undefined::no_variation);

    EstimateWithInterval result = {replicates.value, deviation(sorted), Undefined::not_identified, Undefined::not_identified};
    double low = 0.5 * (1.0 - level);
    double high = 1.0 - low;
    if (kind == IntervalKind::bca) {
        const auto below = static_cast<double>(std::ranges::lower_bound(sorted, replicates.value) - sorted.begin());
        const auto up_to = static_cast<double>(std::ranges::upper_bound(sorted, replicates.value) - sorted.begin());
        const double share = 0.5 * (below + up_to) / static_cast<double>(sorted.size());
        if (share == 0.0 || share == 1.0) return result;  // no interval about a value outside its own distribution
        const double a = acceleration(replicates.jackknifed, strata);
        const double z0 = normal_quantile(share);
        low = adjusted_share(low, z0, a);
        high = adjusted_share(high, z0, a);
    }
    result.low = quantile(sorted, low);
    result.high = quantile(sorted, high);
    return result;
}

}  // namespace xlrm
