#pragma once

#include <cstdint>
#include <span>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Correlation of two language × language matrices with a test that knows that their cells are dependent.
struct Mantel {
    Estimate r = Undefined::no_items;  //!< over the off-diagonal cells
    Estimate p = Undefined::no_items;  //!< two-sided: share of permutations with |r| at least that of the data
    std::int64_t permutations = 0;
    bool exact = false;  //!< all of them
};

enum class MantelKind { pearson, spearman };

//! Permutes the labels of y, rows and columns together (Mantel 1967; QAP, Krackhardt 1988). All n! permutations up to n = 7,
//! else `random` ones from `seed`, p = (1 + hits) / (1 + random). With n languages no p is below 1/n!: at five it is 0.0083. x,
//! y: (n, n) row-major, not necessarily symmetric; the diagonal is not read. too_few_items below n = 3; no_variation.
Mantel mantel(std::span<const double> x, std::span<const double> y, std::int64_t n, MantelKind kind, std::int64_t random = 9999,
              std::uint64_t seed = 0);

}  // namespace xlrm
