#pragma once

#include <cstdint>
#include <string>

namespace xlrm {

enum class Schedule { cosine, linear, constant };
Schedule parse_schedule(const std::string& name);

//! Factor on the learning rate at step `step` (0-based: the step about to be taken), as transformers' get_*_schedule_with_warmup:
//! step / warmup while step < warmup, then 1, (total - step) / (total - warmup), or ½(1 + cos(π·progress)). warmup steps =
//! ceil(total · ratio).
double schedule_factor(Schedule schedule, std::int64_t step, std::int64_t total, std::int64_t warmup);
std::int64_t warmup_steps(double ratio, std::int64_t total);

}  // namespace xlrm
