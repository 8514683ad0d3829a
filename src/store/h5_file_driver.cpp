#include "h5_file_driver.hpp"

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "h5.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm::h5 {

//! HDF5's view of a FileTarget: its functions, which call for no locks, no alignment and no space management of their own.
struct FileDriver {
    H5FD_t shared;  // first: HDF5 keeps its own fields here
    FileTarget* target;

    static FileTarget& of(const H5FD_t* file) { return *reinterpret_cast<const FileDriver*>(file)->target; }

    static H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) noexcept {
        const auto* info = static_cast<FileTarget* const*>(H5Pget_driver_info(access));
        if (info == nullptr) return nullptr;
        return &(new FileDriver{{}, *info})->shared;
    }
    static herr_t close(H5FD_t* file) noexcept {
        delete reinterpret_cast<FileDriver*>(file);
        return 0;
    }
    static int compare(const H5FD_t* a, const H5FD_t* b) noexcept { return &of(a) < &of(b) ? -1 : &of(a) > &of(b) ? 1 : 0; }
    //! As the library's drivers for memory and for files have them: they decide where in the file a thing lies.
    static herr_t query(const H5FD_t*, unsigned long* features) noexcept {
        *features =
            H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA;
        return 0;
    }
    static haddr_t extent(const H5FD_t* file, H5FD_mem_t) noexcept { return of(file).extent_; }
    static herr_t set_extent(H5FD_t* file, H5FD_mem_t, haddr_t extent) noexcept {
        of(file).extent_ = extent;
        return 0;
    }
    static haddr_t end(const H5FD_t* file, H5FD_mem_t) noexcept { return of(file).end_; }
    static herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* bytes) noexcept {
        of(file).read(at, bytes, size);
        return 0;
    }
    static herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, const void* bytes) noexcept {
        of(file).write(at, bytes, size);
        return 0;
    }
    static herr_t truncate(H5FD_t* file, hid_t, hbool_t) noexcept {
        of(file).end_ = of(file).extent_;  // the file itself is cut once, in finish()
        return 0;
    }

    static H5FD_class_t functions() {
        H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 2)
        driver.version = H5FD_CLASS_VERSION;
        driver.value = static_cast<H5FD_class_value_t>(512);  // of the numbers that are free for all
#endif
        driver.name = "xlrm";
        driver.maxaddr = static_cast<haddr_t>(std::numeric_limits<std::int64_t>::max());
        driver.fc_degree = H5F_CLOSE_SEMI;  // an object that is still open is our bug: closing says so
        driver.fapl_size = sizeof(FileTarget*);
        driver.open = open;
        driver.close = close;
        driver.cmp = compare;
        driver.query = query;
        driver.get_eoa = extent;
        driver.set_eoa = set_extent;
        driver.get_eof = end;
        driver.read = read;
        driver.write = write;
        driver.truncate = truncate;
        const H5FD_mem_t map[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
        std::copy(std::begin(map), std::end(map), driver.fl_map);
        return driver;
    }
};

FileTarget::FileTarget(const std::filesystem::path& path, std::string name, std::int64_t bytes)
    : name_(std::move(name)), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640)) {
    if (fd_ < 0) fail_io(errno);
    const int error = ::posix_fallocate(fd_, 0, bytes);
    if (error == 0) return;
    ::close(fd_);
    fail_io(error);
}

FileTarget::~FileTarget() {
    if (fd_ >= 0) ::close(fd_);
}

void FileTarget::use_in(hid_t access) {
    static const H5FD_class_t functions = FileDriver::functions();
    static const hid_t driver = check(H5FDregister(&functions), "H5FDregister", name_);
    FileTarget* const self = this;
    check(H5Pset_driver(access, driver, static_cast<const void*>(&self)), "H5Pset_driver", name_);
}

void FileTarget::require_sound() const {
    if (error_ != 0) fail_io(error_);
}

void FileTarget::finish() {
    require_sound();
    if (::ftruncate(fd_, static_cast<off_t>(frozen_size_.value_or(extent_))) != 0 || ::fsync(fd_) != 0) fail_io(errno);
    if (::close(std::exchange(fd_, -1)) != 0) fail_io(errno);
}

void FileTarget::fail_io(int error) const {
    fail(name_ + ": cannot be written: " + std::strerror(error) +
             (error == ENOSPC ? " (nothing was left behind; free some space and run again)" : ""),
         ExitCode::io);
}

void FileTarget::write(haddr_t at, const void* bytes, std::size_t size) noexcept {
    if (frozen_size_) return;
    end_ = std::max<haddr_t>(end_, at + size);
    const auto* from = static_cast<const std::byte*>(bytes);
    while (error_ == 0 && size > 0) {
        const ssize_t written = ::pwrite(fd_, from, size, static_cast<off_t>(at));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            error_ = written == 0 ? ENOSPC : errno;
            return;
        }
        from += written;
        at += static_cast<haddr_t>(written);
        size -= static_cast<std::size_t>(written);
    }
}

void FileTarget::read(haddr_t at, void* bytes, std::size_t size) noexcept {
    auto* to = static_cast<std::byte*>(bytes);
    while (error_ == 0 && size > 0) {
        const ssize_t got = ::pread(fd_, to, size, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) error_ = errno;
        if (got <= 0) break;
        to += got;
        at += static_cast<haddr_t>(got);
        size -= static_cast<std::size_t>(got);
    }
    std::fill_n(to, size, std::byte{0});  // beyond the end, as of memory
}

}  // namespace xlrm::h5
