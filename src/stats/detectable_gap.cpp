#include "xlrm/stats/detectable_gap.hpp"

#include <cmath>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/distributions.hpp"

namespace xlrm {

double detectable_gap(double standard_error, double level, double power) {
    require(standard_error > 0.0 && level > 0.0 && level < 1.0 && power > 0.0 && power < 1.0,
            "a detectable gap needs a standard error above 0, and level and power within (0, 1)");
    return (normal_quantile(1.0 - 0.5 * level) + normal_quantile(power)) * standard_error;
}

double planned_gap(std::int64_t items, double discordance, double level, double power) {
    require(items > 0 && discordance > 0.0 && discordance <= 1.0,
            "a planned gap needs at least one item and a discordance within (0, 1]");
    return detectable_gap(std::sqrt(discordance / static_cast<double>(items)), level, power);
}

}  // namespace xlrm
