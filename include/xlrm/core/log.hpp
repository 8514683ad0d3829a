#pragma once

#include <string>
#include <string_view>

namespace xlrm {

enum class LogLevel { error, warning, info, debug };

//! "error" | "warning" | "info" | "debug". Throws Error(usage) otherwise.
LogLevel parse_log_level(std::string_view name);

//! Set once by run_job: rank and size of the world, threshold. Until then messages go out as rank 0 of 1.
void set_log(int rank, int size, LogLevel level);

//! One line on standard error from rank 0 alone: "xlrm: message".
void log_root(LogLevel level, const std::string& message);
//! Whether this process is rank 0 (progress is shown there alone).
bool log_is_root();

//! One line on standard error from the calling rank: "xlrm [rank 3]: message".
void log_rank(LogLevel level, const std::string& message);

}  // namespace xlrm
