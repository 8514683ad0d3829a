#pragma once

#include <cstdint>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! The smallest true difference of two accuracies on the same items that a two-sided test at `level` finds with probability
//! `power`, from the standard error of the difference: (z_{1 − level/2} + z_power) · standard_error (normal approximation).
//! Throws Error unless standard_error > 0 and level and power lie within (0, 1).
double detectable_gap(double standard_error, double level = 0.05, double power = 0.8);

//! The same before any data: `items` independent items of which a share `discordance` is answered rightly by one model alone,
//! SE = sqrt(discordance / items). Throws Error unless items > 0 and 0 < discordance <= 1.
double planned_gap(std::int64_t items, double discordance, double level = 0.05, double power = 0.8);

}  // namespace xlrm
