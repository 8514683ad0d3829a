#pragma once

#include <hdf5.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace xlrm::h5 {

//! A new file that HDF5 writes through our own driver. The library's own reports success of a write on a full disk, fails later,
//! and crashes at exit; this one keeps the first error here and lets HDF5 go on as if nothing had happened, so that the
//! error is thrown where we ask for it. The bytes are those of the library's drivers for memory and for files.
class FileTarget {
public:
    //! Makes the file and reserves `bytes` of its disk, about what it will hold. Messages name `name`, the file it is to become.
    //! Throws Error(io), a full disk among the reasons, before HDF5 has written anything.
    FileTarget(const std::filesystem::path& path, std::string name, std::int64_t bytes);
    ~FileTarget();
    FileTarget(const FileTarget&) = delete;
    FileTarget& operator=(const FileTarget&) = delete;

    //! Makes `access` properties that write here. REQUIRES: this outlives the HDF5 file.
    void use_in(hid_t access);
    //! Throws Error(io) when a read or a write has failed.
    void require_sound() const;
    //! The file stays as it is now, after a flush: HDF5, which may still cut unused bytes off its end when it closes it, writes
    //! into the void. An image of a file in memory is taken at this point too.
    void freeze() { frozen_size_ = extent_; }
    //! Once HDF5 has closed its file: gives back what was reserved beyond its end, and puts it on the disk. Throws Error(io).
    void finish();

private:
    friend struct FileDriver;
    [[noreturn]] void fail_io(int error) const;
    void write(haddr_t at, const void* bytes, std::size_t size) noexcept;
    void read(haddr_t at, void* bytes, std::size_t size) noexcept;

    std::string name_;
    int fd_;
    int error_ = 0;       //!< errno of the first failure
    haddr_t end_ = 0;     //!< behind the last byte that was written
    haddr_t extent_ = 0;  //!< of the address space that HDF5 has given out
    std::optional<haddr_t> frozen_size_;
};

}  // namespace xlrm::h5
