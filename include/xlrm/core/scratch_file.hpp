#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace xlrm {

//! A file for what does not fit in memory, among the system's temporary files (TMPDIR), which are the node's own where a shared
//! folder may be slow. It has no name from the start, so nothing is left of it however its owner ends.
class ScratchFile {
public:
    //! Reserves `bytes`, so that a disk that is too small is found before the work is done. `what` goes into messages ("the rows
    //! of this rank"). Throws Error(io) naming the folder.
    ScratchFile(std::int64_t bytes, std::string what);
    ~ScratchFile();
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;

    //! Throws Error(io).
    void write(std::int64_t at, std::span<const std::byte> bytes);
    //! Throws Error(io), also where less was ever written.
    void read(std::int64_t at, std::span<std::byte> bytes) const;

private:
    [[noreturn]] void fail_io(int error) const;
    std::string what_, folder_;
    int fd_ = -1;
};

}  // namespace xlrm
