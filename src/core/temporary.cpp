// Files and folders in the making: their names, and what dead writers left of them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "xlrm/core/file.hpp"
#include "xlrm/core/process_identity.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".xlrm-tmp.";
constexpr std::int64_t kSilentSeconds = 3600;
constexpr std::size_t kLongestName = 255;  // of file systems in use

//! The machine, process and start that a name of temporary_beside holds.
struct Writer {
    std::string machine;
    std::int64_t pid = 0, start = 0;
};

std::optional<Writer> writer_of(const std::string& name) {
    std::istringstream parts(name.substr(kTemporary.size()));
    Writer writer;
    char dot = 0;
    std::getline(parts, writer.machine, '.');
    parts >> writer.pid >> dot >> writer.start;
    if (parts.fail() || dot != '.' || writer.machine.empty()) return {};
    return writer;
}

std::int64_t modified(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_mtime) : 0;
}

//! When anything was last written in `path`, which may be a folder.
std::int64_t last_written(const fs::path& path) {
    std::int64_t latest = modified(path);
    std::error_code error;
    if (!fs::is_directory(fs::symlink_status(path, error))) return latest;
    fs::recursive_directory_iterator entries(path, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error))
        latest = std::max(latest, modified(entries->path()));
    return latest;
}

//! The present time by the clock of the file system that holds `folder`; nothing where it cannot be asked.
std::optional<std::int64_t> time_of_file_system(const fs::path& folder) {
    const fs::path probe = temporary_beside(folder / "clock");
    const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) return {};
    struct stat info {};
    const bool known = ::fstat(fd, &info) == 0;
    ::close(fd);
    ::unlink(probe.c_str());
    if (!known) return {};
    return static_cast<std::int64_t>(info.st_mtime);
}

}  // namespace

fs::path temporary_beside(const fs::path& path) {
    static std::atomic<int> counter{0};
    std::string name = std::string(kTemporary) + this_process().tag() + "." + std::to_string(counter++) + ".";
    name += path.filename().string().substr(0, kLongestName - name.size());
    return path.parent_path() / name;
}

int remove_stale_temporaries(const fs::path& folder) {
    const std::string here = this_process().machine();
    std::optional<std::int64_t> now;
    int removed = 0;
    std::error_code error;
    std::vector<fs::path> found;
    for (fs::directory_iterator entries(folder, error); !error && entries != fs::directory_iterator(); entries.increment(error)) {
        if (entries->path().filename().string().starts_with(kTemporary)) found.push_back(entries->path());
    }
    for (const fs::path& path : found) {
        const std::optional<Writer> writer = writer_of(path.filename().string());
        if (writer && writer->machine == here) {
            if (process_lives(writer->pid, writer->start)) continue;
        } else {
            if (!now) now = time_of_file_system(folder);
            if (!now || *now - last_written(path) < kSilentSeconds) continue;
        }
        removed += fs::remove_all(path, error) > 0 && !error ? 1 : 0;
    }
    return removed;
}

}  // namespace xlrm
