#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace xlrm {

//! Plain sequential writer, every write checked. Truncates `path`. Throws Error(io) with the system's reason.
class FileWriter {
public:
    explicit FileWriter(const std::filesystem::path& path);
    ~FileWriter();
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    void append(std::span<const std::byte> bytes);

private:
    std::filesystem::path path_;
    int fd_;
};

}  // namespace xlrm
