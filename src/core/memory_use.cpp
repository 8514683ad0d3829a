#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "xlrm/core/profile.hpp"

namespace xlrm {

std::int64_t resident_bytes() {
    static const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128] = "";
    if (file < 0 || pread(file, text, sizeof text - 1, 0) <= 0) return 0;
    long long pages = 0;
    if (std::sscanf(text, "%*s %lld", &pages) != 1) return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

std::int64_t peak_resident_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return 1024 * std::atoll(line.c_str() + 6);
    }
    return 0;
}

bool reset_peak_memory() {
    malloc_trim(0);
    const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool done = write(file, "5", 1) == 1;
    close(file);
    return done;
}

}  // namespace xlrm
