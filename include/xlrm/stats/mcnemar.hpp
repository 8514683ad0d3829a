#pragma once

#include <cstdint>
#include <span>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Items that two models answered: who was right.
struct PairedCounts {
    std::int64_t both = 0, first = 0, second = 0, neither = 0;  //!< `first`: the first model alone was right
    std::int64_t items() const { return both + first + second + neither; }
    std::int64_t discordant() const { return first + second; }
};
//! Throws Error for lists of unequal lengths.
PairedCounts count_pairs(std::span<const bool> first, std::span<const bool> second);

//! McNemar's test of equal accuracy on the same items, b = first and c = second of PairedCounts, with independent items. With
//! clusters of items use sign_flip_test.
struct McNemar {
    Estimate exact = Undefined::no_items;         //!< min(1, 2 P(Bin(b+c, ½) <= min(b, c))), two-sided
    Estimate mid_p = Undefined::no_items;         //!< 2 P(Bin <= min) − P(Bin = min): less conservative, not exact
    Estimate chi_square = Undefined::no_items;    //!< (b − c)² / (b + c)
    Estimate chi_square_p = Undefined::no_items;  //!< of one degree of freedom
    Estimate corrected = Undefined::no_items;     //!< (|b − c| − 1)² / (b + c), Edwards' continuity correction
    Estimate corrected_p = Undefined::no_items;
    Estimate gap = Undefined::no_items;             //!< (b − c) / n, accuracy of the first minus that of the second
    Estimate standard_error = Undefined::no_items;  //!< sqrt((b + c − (b − c)²/n) / (n (n − 1)))
};
//! p-values are undefined (no_discordant_items) where b + c = 0. Throws Error for negative counts.
McNemar mcnemar(const PairedCounts& counts);

//! Two-sided p of Σ_g S_g under independent random signs of the clusters' sums, P(|Σ ± S_g| >= |Σ S_g|): for a difference of
//! accuracies S_g is the sum over the items (and seeds) of a cluster of (first right − second right). The distribution is built
//! by convolution, so the p is exact; with one item a cluster it is McNemar's exact p. Where the convolution would take more than
//! 4·10⁸ steps the normal approximation with variance Σ S_g² is used. Undefined where all sums are 0.
Estimate sign_flip_test(std::span<const std::int64_t> cluster_sums);

}  // namespace xlrm
