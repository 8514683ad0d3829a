#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Resamples of clusters of items, drawn with replacement within strata. Resample r depends on the seed and r alone, so it is the
//! same for every statistic, model and rank: differences between models are resampled together.
//! A stratum of one cluster is drawn as it is and adds no variation.
class Resamples {
public:
    //! `strata[g]`: the stratum (0, 1, …) of cluster g. Throws Error for none, or a negative stratum.
    Resamples(std::vector<std::int32_t> strata, std::uint64_t seed);
    std::int64_t clusters() const { return static_cast<std::int64_t>(strata_.size()); }
    //! How often each cluster is in resample `index` (from 0).
    std::vector<double> draw(std::int64_t index) const;
    const std::vector<std::int32_t>& strata() const { return strata_; }
    //! Whether some stratum has more than one cluster.
    bool can_vary() const;

private:
    std::vector<std::int32_t> strata_;
    std::vector<std::vector<std::int64_t>> members_;  //!< of each stratum
    std::uint64_t seed_;
};

//! Values of a statistic over the resamples, and with each cluster left out.
struct Replicates {
    double value = 0.0;              //!< of the data
    std::vector<double> resampled;   //!< one for each resample
    std::vector<double> jackknifed;  //!< one for each cluster; NaN where the statistic has no value without it
};

//! Several statistics over the same resamples. `statistics(weights, out)` writes their values for clusters taken `weights` times
//! each (all 1: the data), NaN where one has none.
std::vector<Replicates> replicate(const Resamples& resamples, std::int64_t count, std::int64_t statistics,
                                  const std::function<void(std::span<const double> weights, std::span<double> out)>& compute);

enum class IntervalKind {
    percentile,  //!< quantiles of the resampled values
    bca,         //!< bias-corrected and accelerated (Efron 1987), the acceleration from the jackknife within strata
};

//! Interval and standard error (standard deviation over resamples). `bca` is that of scipy.stats.bootstrap with one sample for
//! each stratum: z0 from the share of resampled values below the data's (ties half), a = Σ_s Σ u³/n_s³ / (6 (Σ_s Σ u²/n_s²)^1.5)
//! with u = (n_s − 1)(mean of the stratum's jackknifed values − jackknifed), quantiles interpolated linearly. Clusters without
//! which the statistic has no value are left out of a. Undefined: no_variation where all resampled values are equal,
//! not_identified where some resample has no value or every resampled value lies on one side of the data's.
EstimateWithInterval bootstrap_interval(const Replicates& replicates, std::span<const std::int32_t> strata, IntervalKind kind,
                                        double level = 0.95);

}  // namespace xlrm
