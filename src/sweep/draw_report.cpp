#include "xlrm/sweep/draw_report.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/core/log.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

constexpr int kNoPython = 69;  //!< the exit code of analysis/xlrm_report where it finds none (EX_UNAVAILABLE)

//! xlrm_report beside this program; empty where there is none.
fs::path program() {
    std::error_code problem;
    const fs::path here = fs::read_symlink("/proc/self/exe", problem);
    const fs::path path = here.parent_path() / "xlrm_report";
    return !problem && fs::exists(path, problem) ? path : fs::path();
}

//! Starts it with the signals as a program expects them. 0, or the error.
int start(const std::vector<std::string>& words, pid_t* child) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) sigaddset(&defaults, signal);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawn(child, arguments[0], nullptr, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

//! Its exit code; after a stop request that of a program which was ended.
int wait_for(pid_t child) {
    int status = 0;
    bool told = false;
    for (;;) {
        const pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) break;
        if (ended < 0 && errno != EINTR) return -1;
        if (stop_requested() && !told) kill(child, SIGTERM);
        told = told || stop_requested();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void say_none(const fs::path& folder, const std::string& why) {
    log_root(LogLevel::warning, "no report was drawn: " + why + ". The tables in " + (folder / "analysis").string() +
                                    " stand alone; xlrm_report " + folder.string() + " draws it later");
}

}  // namespace

void draw_report(const fs::path& folder, const std::string& english) {
    if (stop_requested()) return say_none(folder, "a signal asked to stop");
    const fs::path report = program();
    if (report.empty()) return say_none(folder, "there is no xlrm_report beside xlrm_sweep");
    pid_t child = 0;
    if (const int error = start({report.string(), folder.string(), "--english", english}, &child); error != 0)
        return say_none(folder, report.string() + " cannot be started: " + std::strerror(error));
    const int code = wait_for(child);
    if (code == kNoPython) return say_none(folder, "no Python with h5py and matplotlib");
    if (code != 0) say_none(folder, report.string() + (stop_requested() ? " was stopped" : " failed, as it says above"));
}

}  // namespace xlrm
