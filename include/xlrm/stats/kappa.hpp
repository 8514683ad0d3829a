#pragma once

#include <cstdint>
#include <span>

#include "xlrm/stats/estimate.hpp"
#include "xlrm/stats/mcnemar.hpp"

namespace xlrm {

//! Cohen's kappa (1960) of a k × k table of counts, row-major: (p_o − p_e) / (1 − p_e). no_variation where p_e = 1.
Estimate cohen_kappa(std::span<const std::int64_t> table, std::int64_t categories);

//! Agreement of two reward models, from who is right. What is compared matters, since the right answer is always "chosen":
//!   correctness: labels right / wrong, p_e = a1 a2 + (1 − a1)(1 − a2); two good models agree by chance often, so kappa is low;
//!   order: labels "first answer" / "second answer" with the answers shown in random order, whose p_e is ½: 2 p_o − 1.
Estimate kappa_of_correctness(const PairedCounts& counts);
Estimate kappa_of_order(const PairedCounts& counts);

//! Fleiss' kappa (1971) of `counts` (subject, category), row-major: how many raters put a subject into a category, the same
//! number of raters (two or more) for each subject; else Error. no_variation where all ratings are of one category.
Estimate fleiss_kappa(std::span<const std::int64_t> counts, std::int64_t categories);

}  // namespace xlrm
