#include "xlrm/core/log.hpp"

#include <cstdio>
#include <mutex>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

int log_rank_number = 0;
int log_size = 1;
LogLevel threshold = LogLevel::info;
std::mutex mutex;

void print(LogLevel level, const std::string& prefix, const std::string& message) {
    if (level > threshold) return;
    const char* mark = level == LogLevel::error ? "error: " : level == LogLevel::warning ? "warning: " : "";
    const std::lock_guard lock(mutex);
    std::fputs((prefix + mark + message + "\n").c_str(), stderr);
}

}  // namespace

LogLevel parse_log_level(std::string_view name) {
    if (name == "error") return LogLevel::error;
    if (name == "warning") return LogLevel::warning;
    if (name == "info") return LogLevel::info;
    if (name == "debug") return LogLevel::debug;
    fail("--log-level " + std::string(name) + ": choose error, warning, info or debug", ExitCode::usage);
}

void set_log(int rank, int size, LogLevel level) {
    log_rank_number = rank;
    log_size = size;
    threshold = level;
}

bool log_is_root() { return log_rank_number == 0; }

void log_root(LogLevel level, const std::string& message) {
    if (log_rank_number == 0) print(level, "xlrm: ", message);
}

void log_rank(LogLevel level, const std::string& message) {
    print(level, log_size > 1 ? "xlrm [rank " + std::to_string(log_rank_number) + "]: " : "xlrm: ", message);
}

}  // namespace xlrm
