#pragma once

#include <cstdint>
#include <span>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

struct CochranQ {
    Estimate q = Undefined::no_items;
    Estimate p = Undefined::no_items;  //!< chi-square, models − 1 degrees of freedom
    std::int64_t df = 0;
};

//! Whether k models are equally accurate on the same independent items (Cochran 1950): Q = (k − 1)(k Σ_j C_j² − N²) / (k N −
//! Σ_i R_i²) with C_j right answers of model j, R_i models that are right on item i, N their sum. `right`: (item, model),
//! row-major, 1 = right. Undefined: one_model, no_items, no_discordant_items (every item is right for all or for none).
//! Throws Error unless the size is a multiple of `models`.
CochranQ cochran_q(std::span<const std::uint8_t> right, std::int64_t models);

}  // namespace xlrm
