#include "xlrm/core/process_identity.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>

#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

//! The first bytes of a file of /proc; "" where it cannot be read, as when the process ends in between.
std::string read_proc(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    std::array<char, 1024> text{};
    const ssize_t size = ::read(fd, text.data(), text.size());
    ::close(fd);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

std::string link_target(const char* path) {
    std::array<char, 256> text{};
    const ssize_t size = ::readlink(path, text.data(), text.size() - 1);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

struct ProcessState {
    char letter = '?';  //!< of /proc/<pid>/stat: R, S, D, T, Z …
    std::int64_t start = 0;
};

//! False where the process cannot be seen. The second field of the line is the program's name in brackets, which may hold
//! anything.
bool look_up(std::int64_t pid, ProcessState* state) {
    const std::string text = read_proc("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return false;
    std::istringstream fields(text.substr(name_end + 1));
    constexpr int kStartField = 22;
    std::string skipped;
    fields >> state->letter;
    for (int field = 4; field < kStartField; ++field) fields >> skipped;
    fields >> state->start;
    return !fields.fail();
}

}  // namespace

std::string ProcessIdentity::machine() const { return sha256(host + "\n" + boot + "\n" + namespace_of_ids).substr(0, 12); }

bool ProcessIdentity::on_machine_of(const ProcessIdentity& other) const {
    return host == other.host && boot == other.boot && namespace_of_ids == other.namespace_of_ids;
}

std::string ProcessIdentity::tag() const { return machine() + "." + std::to_string(pid) + "." + std::to_string(start); }

ProcessIdentity this_process() {
    ProcessIdentity self;
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    self.host = host.data();
    self.boot = read_proc("/proc/sys/kernel/random/boot_id");
    self.boot.erase(self.boot.find_last_not_of(" \n") + 1);
    self.namespace_of_ids = link_target("/proc/self/ns/pid");
    self.pid = ::getpid();
    ProcessState state;
    if (look_up(self.pid, &state)) self.start = state.start;
    return self;
}

bool process_lives(std::int64_t pid, std::int64_t start) {
    if (pid <= 0) return false;
    ProcessState state;
    if (look_up(pid, &state)) return state.letter != 'Z' && state.letter != 'X' && (start == 0 || state.start == start);
    // /proc may hide the processes of others (hidepid).
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

}  // namespace xlrm
