#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "xlrm/core/process_identity.hpp"

namespace xlrm {

//! One file of a lock's chain, as it was read.
struct LockFile {
    std::filesystem::path path;
    std::string id;                        //!< hash of its content: no two locks have the same
    std::int64_t touched = 0;              //!< time of its last sign of life, in nanoseconds, by whatever clock
    std::optional<ProcessIdentity> owner;  //!< nothing where the content is not a lock's
    std::string description;               //!< "host a, process 17 (xlrm_train), since …, Slurm job 3", or that it names nobody
};

//! Nothing where there is no such file. Throws Error(io) where it cannot be read.
std::optional<LockFile> read_lock_file(const std::filesystem::path& path);

//! A lock file's content for `owner`; each call gives another.
std::string lock_text(const ProcessIdentity& owner);

//! Makes `path` with `text`, unless it is there: then -1. Returns a descriptor of it. Throws Error(io).
int create_lock_file(const std::filesystem::path& path, const std::string& text);

//! The last file of the chain that begins with `file`: the one whose owner counts.
LockFile last_of_chain(LockFile file, const std::filesystem::path& first);

//! The file that succeeds `file` in the chain that begins with `first`.
std::filesystem::path successor_of(const LockFile& file, const std::filesystem::path& first);

}  // namespace xlrm
