#include "xlrm/core/progress.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "xlrm/core/log.hpp"

namespace xlrm {

namespace {

constexpr double kTerminalEvery_s = 0.2;
constexpr double kLogEvery_s = 60.0;

double since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

std::string format_rate(double rate) {
    char text[32];
    std::snprintf(text, sizeof text, rate >= 100 ? "%.0f" : rate >= 1 ? "%.1f" : "%.3f", rate);
    return text;
}

}  // namespace

Progress::Progress(std::string title, std::int64_t total, std::string unit)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      start_(std::chrono::steady_clock::now()),
      shown_(start_),
      terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (!finished_ && terminal_ && log_is_root()) std::fputs("\n", stderr);
}

void Progress::update(std::int64_t done, const std::string& extra) {
    if (first_ < 0) first_ = done;
    done_ = done;
    if (since(shown_) < (terminal_ ? kTerminalEvery_s : kLogEvery_s)) return;
    shown_ = std::chrono::steady_clock::now();
    print(extra, false);
}

void Progress::finish(const std::string& extra) {
    if (finished_) return;
    finished_ = true;
    print(extra, true);
}

void Progress::print(const std::string& extra, bool last) {
    if (!log_is_root()) return;
    const double seconds = since(start_);
    const double rate = seconds > 0 ? static_cast<double>(done_ - std::max<std::int64_t>(first_, 0)) / seconds : 0.0;
    std::string line =
        title_ + ": " + std::to_string(done_) + "/" + std::to_string(total_) + " " + unit_ + ", " + format_rate(rate) + "/s";
    if (last)
        line += ", took " + format_duration(seconds);
    else if (rate > 0)
        line += ", " + format_duration(static_cast<double>(total_ - done_) / rate) + " left";
    if (!extra.empty()) line += ", " + extra;
    if (terminal_)
        std::fprintf(stderr, "\r%s\033[K%s", line.c_str(), last ? "\n" : "");
    else
        log_root(LogLevel::info, line);
}

std::string format_duration(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    if (whole >= 3600) return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
    if (whole >= 60) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    if (whole >= 10) return std::to_string(whole) + " s";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    return text;
}

std::string format_bytes(double bytes) {
    const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return text;
}

}  // namespace xlrm
