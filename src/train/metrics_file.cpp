#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "xlrm/core/error.hpp"
#include "xlrm/train/metrics.hpp"

namespace xlrm {
namespace {

[[noreturn]] void fail_io(const std::filesystem::path& path, const char* what) {
    fail(path.string() + ": " + what + " (" + std::strerror(errno) + ")", ExitCode::io);
}

}  // namespace

MetricsFile::MetricsFile(const std::filesystem::path& path, std::int64_t keep) : path_(path), size_(keep) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (file_ < 0) fail_io(path, "cannot be opened for writing");
    struct stat status {};
    if (::fstat(file_, &status) != 0) fail_io(path, "cannot be examined");
    if (status.st_size < keep) {
        ::close(file_);
        fail(path.string() + ": it has " + std::to_string(status.st_size) + " bytes where the checkpoint counts " +
             std::to_string(keep) + " (lines are lost); restore it, or start again with --resume never");
    }
    if (::ftruncate(file_, keep) != 0 || ::lseek(file_, keep, SEEK_SET) < 0)
        fail_io(path, "cannot be cut to its checkpointed length");
}

MetricsFile::~MetricsFile() {
    if (file_ >= 0) ::close(file_);
}

void MetricsFile::append(const Json& record) {
    const std::string line = record.dump() + "\n";
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) fail_io(path_, "a line could not be written");
    size_ += static_cast<std::int64_t>(line.size());
}

std::int64_t MetricsFile::sync() {
    if (::fsync(file_) != 0) fail_io(path_, "cannot be flushed to the disk");
    return size_;
}

}  // namespace xlrm
