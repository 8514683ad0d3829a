#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace xlrm {

//! A mounted disk of `bytes`, for tests of a full one. Mounting needs root: `mounted()` says whether it worked.
class SmallDisk {
public:
    explicit SmallDisk(std::size_t bytes)
        : mounted_(::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) == 0) {}
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    bool mounted() const { return mounted_; }
    const std::filesystem::path& path() const { return folder_.path(); }

private:
    TemporaryFolder folder_;
    bool mounted_;
};

}  // namespace xlrm
