#include "file_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "xlrm/core/error.hpp"

namespace xlrm {

FileWriter::FileWriter(const std::filesystem::path& path, const std::filesystem::path& target)
    : target_(target), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640)) {
    if (fd_ < 0) fail(target_.string() + ": cannot be created: " + std::strerror(errno), ExitCode::io);
}

FileWriter::~FileWriter() { ::close(fd_); }

void FileWriter::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail(target_.string() + ": cannot be written: " + std::strerror(errno), ExitCode::io);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

}  // namespace xlrm
