#include "lock_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 4096;  // of a lock

[[noreturn]] void fail_lock(const std::string& what, const fs::path& path, int error) {
    fail(what + " " + path.string() + ": " + std::strerror(error), ExitCode::io);
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text.data();
}

std::int64_t nanoseconds(const struct stat& info) {
    return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

void describe(const std::string& text, LockFile* file) {
    file->description = "its lock names nobody";
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return;
    const auto word = [&](const char* key) {
        return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
    };
    const auto number = [&](const char* key) {
        return json.contains(key) && json[key].is_number_integer() ? json[key].get<std::int64_t>() : 0;
    };
    ProcessIdentity owner{word("host"), word("boot"), word("namespace_of_ids"), number("process"), number("start")};
    if (owner.host.empty() || owner.pid <= 0) return;
    file->description =
        "host " + owner.host + ", process " + std::to_string(owner.pid) + " (" + word("program") + "), since " + word("since");
    if (!word("slurm_job").empty()) file->description += ", Slurm job " + word("slurm_job");
    file->owner = std::move(owner);
}

//! Writes `text` and returns a descriptor of the file, `fd` itself being closed: on NFS that is what shows the text to other
//! machines.
int write_whole(int fd, const std::string& text, const fs::path& path) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    int error = written == static_cast<ssize_t>(text.size()) ? 0 : written < 0 ? errno : ENOSPC;
    const int kept = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (kept < 0 && error == 0) error = errno;
    if (::close(fd) != 0 && error == 0) error = errno;
    if (error == 0) return kept;
    if (kept >= 0) ::close(kept);
    ::unlink(path.c_str());
    fail_lock("cannot write the lock", path, error);
}

int open_new(const fs::path& path) { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644); }

//! For file systems without hard links.
int create_directly(const fs::path& path, const std::string& text) {
    const int fd = open_new(path);
    if (fd < 0 && errno == EEXIST) return -1;
    if (fd < 0) fail_lock("cannot write the lock", path, errno);
    return write_whole(fd, text, path);
}

}  // namespace

std::optional<LockFile> read_lock_file(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat info {};
    if (fd < 0) {
        const int error = errno;
        // A machine whose name for the file was taken over by another process may say ESTALE.
        if (error == ENOENT || error == ESTALE || error == ENOTDIR) return {};
        if (error != EACCES) fail_lock("cannot read the lock", path, error);
        if (::lstat(path.c_str(), &info) != 0) return {};  // a folder that may not be searched
        return LockFile{path, sha256("unreadable").substr(0, 16), nanoseconds(info), {}, "its lock may not be read"};
    }
    std::array<char, kMostBytes> bytes{};
    const bool seen = ::fstat(fd, &info) == 0;
    const ssize_t size = seen ? ::read(fd, bytes.data(), bytes.size()) : -1;
    const int error = errno;
    ::close(fd);
    if (size < 0 && error == ESTALE) return {};
    if (size < 0) fail_lock("cannot read the lock", path, error);
    const std::string text(bytes.data(), static_cast<std::size_t>(size));
    LockFile file{path, sha256(text).substr(0, 16), nanoseconds(info), {}, ""};
    describe(text, &file);
    return file;
}

std::string lock_text(const ProcessIdentity& owner) {
    std::random_device random;
    Json json = {{"host", owner.host},  {"process", owner.pid}, {"program", program_invocation_short_name},
                 {"since", utc_now()},  {"boot", owner.boot},   {"namespace_of_ids", owner.namespace_of_ids},
                 {"start", owner.start}};
    if (const char* job = std::getenv("SLURM_JOB_ID")) json["slurm_job"] = job;
    json["random"] = std::to_string(random()) + "." + std::to_string(random());
    return json.dump(1) + "\n";
}

int create_lock_file(const fs::path& path, const std::string& text) {
    const fs::path temporary = temporary_beside(path);
    int fd = open_new(temporary);
    if (fd < 0) fail_lock("cannot write into the output folder", path.parent_path(), errno);
    ::fchmod(fd, 0644);  // others of a group's folder are to read who is at work, whatever the umask
    fd = write_whole(fd, text, temporary);
    const int failed = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
    struct stat info {};
    // A server that answered the link twice says that it is there, though it is ours.
    const bool linked = failed == 0 || (::fstat(fd, &info) == 0 && info.st_nlink == 2);
    ::unlink(temporary.c_str());
    if (linked) return fd;
    ::close(fd);
    if (failed == EEXIST) return -1;
    if (failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS || failed == EMLINK) return create_directly(path, text);
    fail_lock("cannot make the lock", path, failed);
}

fs::path successor_of(const LockFile& file, const fs::path& first) { return first.string() + "." + file.id; }

LockFile last_of_chain(LockFile file, const fs::path& first) {
    while (std::optional<LockFile> next = read_lock_file(successor_of(file, first))) file = std::move(*next);
    return file;
}

}  // namespace xlrm
