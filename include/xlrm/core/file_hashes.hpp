#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace xlrm {

//! SHA-256 of files, each read once: a hash is remembered as long as the file's size, times of change (mtime and ctime, in ns)
//! and inode stay as they were. For one thread.
//!
//! With a cache file, hashes are remembered from one process to the next as well; it is safe to lose, and one that cannot be read
//! or written counts as empty. A file that changed within the last two seconds before it was read is not written there: clocks of
//! file systems are coarse, and a later change could leave the same times. What only a full reading finds (a disk that lost bits)
//! needs a FileHashes without a cache.
class FileHashes {
public:
    FileHashes() = default;
    explicit FileHashes(std::filesystem::path cache);

    //! Throws Error(io) where the file cannot be read.
    std::string sha256(const std::filesystem::path& path);
    //! Writes the cache file, if there is one and anything is new. Never throws.
    void save();
    //! Files that were read to the end, and their bytes.
    std::int64_t files_read() const { return files_read_; }
    std::int64_t bytes_read() const { return bytes_read_; }

private:
    using Stamp = std::array<std::int64_t, 4>;  //!< size, mtime, ctime, inode
    struct Entry {
        Stamp stamp{};
        std::string sha256;
        bool settled = false;  //!< old enough for the cache file
    };
    static Stamp stamp_of(const std::filesystem::path& path);
    std::string name_of(const std::filesystem::path& path) const;
    void load();

    std::filesystem::path cache_;
    bool loaded_ = false, changed_ = false;
    std::map<std::string, Entry> entries_;
    std::int64_t files_read_ = 0, bytes_read_ = 0;
};

}  // namespace xlrm
