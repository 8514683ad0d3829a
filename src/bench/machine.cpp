#include <ATen/Parallel.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "figures.hpp"
#include "xlrm/core/build_info.hpp"

namespace xlrm {
namespace {

// The value of a line "key : value" of /proc/cpuinfo's first processor.
std::string cpu_fact(const std::string& key) {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key) && line.find(": ") != std::string::npos) return line.substr(line.find(": ") + 2);
    }
    return "";
}

int allowed_processors() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

}  // namespace

Json describe_machine(const Communicator& world) {
    static const std::set<std::string> telling = {"avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16"};
    Json flags = Json::array();
    std::istringstream words(cpu_fact("flags"));
    for (std::string word; words >> word;)
        if (telling.contains(word)) flags.push_back(word);
    return {{"processor", cpu_fact("model name")},
            {"processors_online", sysconf(_SC_NPROCESSORS_ONLN)},
            {"processors_allowed", allowed_processors()},
            {"flags", flags},
            {"ranks", world.size()},
            {"threads", at::get_num_threads()},
            {"code", code_version()}};
}

}  // namespace xlrm
