#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace xlrm {

//! Two-sided normal quantile of 95 %.
inline constexpr double kZ95 = 1.959963984540054;

struct Interval {
    double low = 0.0;
    double high = 0.0;
};

//! Wilson score interval of a share (Wilson 1927), the default for an accuracy: it stays inside [0, 1] and keeps its coverage
//! near the ends. Throws Error unless 0 <= successes <= total and total > 0.
Interval wilson_interval(std::int64_t successes, std::int64_t total, double z = kZ95);

//! A mean whose observations come in groups.
struct ClusteredMean {
    double mean = 0.0;
    double standard_error = 0.0;
    Interval interval;  //!< mean ± z · standard_error
    std::int64_t observations = 0;
    std::int64_t clusters = 0;
};

//! Mean of `values` with the standard error sqrt(Σ_g (Σ_{i in g} (v_i − mean))²) / n, where g runs over the groups of equal
//! `clusters`. A difference of two models' accuracies is the mean of their item-wise differences; translations and siblings of
//! one item share a cluster (item_stem), since they are right or wrong together. With every value its own cluster this is the
//! plug-in error of a mean. Throws Error for sizes that differ or no values.
ClusteredMean clustered_mean(std::span<const double> values, std::span<const std::string> clusters, double z = kZ95);

}  // namespace xlrm
