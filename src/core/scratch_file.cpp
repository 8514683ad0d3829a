#include "xlrm/core/scratch_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {

ScratchFile::ScratchFile(std::int64_t bytes, std::string what) : what_(std::move(what)) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path();
    folder_ = folder.string();
    const std::filesystem::path path = temporary_beside(folder / "scratch");
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0) fail_io(errno);
    ::unlink(path.c_str());
    const int error = bytes > 0 ? ::posix_fallocate(fd_, 0, bytes) : 0;
    if (error == 0) return;
    ::close(fd_);
    if (error != ENOSPC) fail_io(error);
    fail(folder_ + ": the " + std::to_string(bytes) + " bytes that " + what_ + " may need are not free (" + std::strerror(error) +
             "); set TMPDIR to a folder on a larger disk",
         ExitCode::io);
}

ScratchFile::~ScratchFile() { ::close(fd_); }

void ScratchFile::write(std::int64_t at, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail_io(written == 0 ? ENOSPC : errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        at += written;
    }
}

void ScratchFile::read(std::int64_t at, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail_io(got == 0 ? EIO : errno);
        bytes = bytes.subspan(static_cast<std::size_t>(got));
        at += got;
    }
}

void ScratchFile::fail_io(int error) const {
    fail(folder_ + ": a temporary file for " + what_ + " cannot be made, written or read (" + std::strerror(error) +
             "); set TMPDIR to another folder",
         ExitCode::io);
}

}  // namespace xlrm
