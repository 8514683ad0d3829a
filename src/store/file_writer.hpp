#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace xlrm {

//! Plain sequential writer of a new file, every write checked. Throws Error(io) with the system's reason; messages name
//! `target`, the final name.
class FileWriter {
public:
    FileWriter(const std::filesystem::path& path, const std::filesystem::path& target);
    ~FileWriter();
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    void append(std::span<const std::byte> bytes);

private:
    std::filesystem::path target_;
    int fd_;
};

}  // namespace xlrm
