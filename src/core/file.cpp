#include "xlrm/core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_io(const std::string& what, const fs::path& path, int error) {
    std::string hint = error == ENOSPC ? " (nothing was left behind; free some space and run again)" : "";
    fail(what + " " + path.string() + ": " + std::strerror(error) + hint, ExitCode::io);
}

//! An open descriptor; closed on destruction.
class Descriptor {
public:
    Descriptor(const fs::path& path, int flags, mode_t mode = 0) : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    int close() { return ::close(std::exchange(fd_, -1)); }

private:
    int fd_;
};

void make_parent(const fs::path& path) {
    if (path.parent_path().empty()) return;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) fail_io("cannot make the folder of", path, error.value());
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail_io("cannot write", path, written == 0 ? ENOSPC : errno);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

void sync_folder(const fs::path& file) {
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    const Descriptor fd(folder, O_RDONLY | O_DIRECTORY);
    if (fd.get() >= 0) ::fsync(fd.get());  // some file systems cannot; the rename itself is what counts
}

//! Removes the temporary unless it was renamed into place.
class TemporaryFile {
public:
    explicit TemporaryFile(const fs::path& target) : target_(target), path_(temporary_beside(target)) {}
    ~TemporaryFile() {
        if (!renamed_) ::unlink(path_.c_str());
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const fs::path& path() const { return path_; }
    void rename_into_place() {
        if (::rename(path_.c_str(), target_.c_str()) != 0) fail_io("cannot rename a finished file to", target_, errno);
        renamed_ = true;
        sync_folder(target_);
    }

private:
    fs::path target_, path_;
    bool renamed_ = false;
};

}  // namespace

std::string read_file(const fs::path& path) {
    const Descriptor fd(path, O_RDONLY);
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) fail_io("cannot read", path, errno);
    if (S_ISDIR(info.st_mode)) fail_io("cannot read", path, EISDIR);
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t filled = 0;
    for (;;) {
        if (filled == bytes.size()) bytes.resize(bytes.size() + 4096);  // also files that claim no size
        const ssize_t got = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_io("cannot read", path, errno);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

void write_file_atomic(const fs::path& path, std::string_view bytes) {
    make_parent(path);
    TemporaryFile temporary(path);
    Descriptor fd(temporary.path(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);
    if (fd.get() < 0) fail_io("cannot write", path, errno);
    write_all(fd.get(), bytes, path);
    if (::fsync(fd.get()) != 0) fail_io("cannot write", path, errno);
    if (fd.close() != 0) fail_io("cannot write", path, errno);
    temporary.rename_into_place();
}

void write_file_atomic(const fs::path& path, const std::function<void(const fs::path&)>& write) {
    make_parent(path);
    TemporaryFile temporary(path);
    write(temporary.path());
    const Descriptor fd(temporary.path(), O_RDONLY | O_NOFOLLOW);
    if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail_io("cannot write", path, errno);
    temporary.rename_into_place();
}

void append_line(const fs::path& path, std::string_view line) {
    make_parent(path);
    Descriptor fd(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0640);
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) fail_io("cannot write", path, errno);
    char last = '\n';
    if (info.st_size > 0 && ::pread(fd.get(), &last, 1, info.st_size - 1) != 1) fail_io("cannot read the end of", path, errno);
    std::string text(last == '\n' ? "" : "\n");
    text.append(line).append("\n");
    write_all(fd.get(), text, path);
    if (::fsync(fd.get()) != 0) fail_io("cannot write", path, errno);
    if (fd.close() != 0) fail_io("cannot write", path, errno);
}

void require_writable(const fs::path& folder, std::int64_t bytes) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) fail_io("cannot make the output folder", folder, error.value());
    const fs::path probe = temporary_beside(folder / "probe");
    {
        const Descriptor fd(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);
        if (fd.get() < 0) fail_io("cannot write into the output folder", folder, errno);
    }
    ::unlink(probe.c_str());
    struct statvfs disk {};
    if (bytes <= 0 || ::statvfs(folder.c_str(), &disk) != 0) return;
    const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    if (free < static_cast<double>(bytes)) {
        fail(folder.string() + ": " + std::to_string(bytes) + " bytes are needed, its disk has " +
                 std::to_string(static_cast<std::int64_t>(free)) + " free; choose another --output or free some space",
             ExitCode::io);
    }
}

}  // namespace xlrm
