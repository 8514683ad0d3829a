#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

// The number in a file of one word; -1 for "max" and where there is no such file.
std::int64_t number_in(const std::string& path) {
    std::ifstream file(path);
    std::int64_t value = -1;
    return file >> value ? value : -1;
}

// The group's own folder is the root where the process has its own name space, as in a container.
std::int64_t left_in_group() {
    std::string group;
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("0::")) group = line.substr(3);
    for (const std::string& folder : {"/sys/fs/cgroup" + group, std::string("/sys/fs/cgroup")}) {
        const std::int64_t limit = number_in(folder + "/memory.max"), used = number_in(folder + "/memory.current");
        if (limit >= 0 && used >= 0) return std::max<std::int64_t>(limit - used, 0);
    }
    return -1;
}

}  // namespace

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

std::int64_t available_bytes() {
    std::int64_t bytes = 0;
    std::ifstream info("/proc/meminfo");
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("MemAvailable:")) bytes = 1024 * std::atoll(line.c_str() + 13);
    const std::int64_t group = left_in_group();
    return group >= 0 ? std::min(bytes, group) : bytes;
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
