#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

// Seconds after boot; below 0 where the system does not tell.
double process_start() {
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) return -1.0;
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int i = 3; i <= 22; ++i) fields >> field;  // proc(5): starttime is the 22nd field
    return fields ? std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK)) : -1.0;
}

}  // namespace

double process_seconds() {
    static const double start = process_start();
    timespec now{};
    if (start < 0.0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0.0;
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) - start;
}

}  // namespace xlrm
