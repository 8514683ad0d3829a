#include "xlrm/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "xlrm/core/error.hpp"

namespace xlrm {

Schedule parse_schedule(const std::string& name) {
    if (name == "cosine") return Schedule::cosine;
    if (name == "linear") return Schedule::linear;
    if (name == "constant") return Schedule::constant;
    fail("schedule '" + name + "' is not known (cosine, linear, constant)", ExitCode::usage);
}

double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t total, std::int64_t warmup) {
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, warmup));
    const double rest = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
    switch (schedule) {
        case Schedule::cosine:
            return std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * (static_cast<double>(step - warmup) / rest))));
        case Schedule::linear:
            return std::max(0.0, static_cast<double>(total - step) / rest);
        case Schedule::constant:
            break;
    }
    return 1.0;
}

std::int64_t warmup_steps(double ratio, std::int64_t total) {
    if (!(ratio >= 0.0 && ratio <= 1.0)) {
        fail("--warmup-ratio " + std::to_string(ratio) + " is not a share of the steps; give a number from 0 to 1",
             ExitCode::usage);
    }
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(total) * ratio));
}

}  // namespace xlrm
