#pragma once

#include <filesystem>
#include <string>

#include "xlrm/comm/communicator.hpp"

namespace xlrm {

//! A folder of all ranks, made by rank 0 among the system's temporary files and removed by it with everything in it.
class SharedTemporaryFolder {
public:
    //! Collective. `program` begins its name. Throws Error where it cannot be made.
    explicit SharedTemporaryFolder(const Communicator& world, const std::string& program = "xlrm-bench");
    ~SharedTemporaryFolder();
    SharedTemporaryFolder(const SharedTemporaryFolder&) = delete;
    SharedTemporaryFolder& operator=(const SharedTemporaryFolder&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    const bool owner_;
    std::filesystem::path path_;
};

}  // namespace xlrm
