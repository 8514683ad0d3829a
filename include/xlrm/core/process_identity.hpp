#pragma once

#include <cstdint>
#include <string>

namespace xlrm {

//! A running process, told apart from every other one, on this machine and on those that share a file system with it. Process ids
//! alone are used again within hours, and by every machine at once.
struct ProcessIdentity {
    std::string host;              //!< name of the machine
    std::string boot;              //!< id of its present start (/proc/sys/kernel/random/boot_id)
    std::string namespace_of_ids;  //!< within which `pid` counts: containers of one machine have several
    std::int64_t pid = 0;
    std::int64_t start = 0;  //!< clock ticks from the machine's start to the process's

    //! Twelve hexadecimal digits for (host, boot, namespace_of_ids), for names of files.
    std::string machine() const;
    bool on_machine_of(const ProcessIdentity& other) const;
    //! "<machine>.<pid>.<start>", for names of files.
    std::string tag() const;
};

//! Of the calling process.
ProcessIdentity this_process();

//! Whether the process `pid` that began at `start` still runs on this machine. One that has ended and that its parent has not yet
//! asked about counts as ended. `start` 0: any process of that id.
bool process_lives(std::int64_t pid, std::int64_t start);

}  // namespace xlrm
