#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "xlrm/core/process_identity.hpp"

namespace xlrm {

enum class OutputKind {
    replaced,  //!< a file, or a folder that is put in place whole: its lock is `<output>.xlrm-lock`, beside it
    filled,    //!< a folder that is written into: its lock is `<output>/.xlrm-lock`
};

struct LockTiming {
    std::chrono::milliseconds beat{5000};      //!< how often an owner gives a sign of life
    std::chrono::milliseconds silence{30000};  //!< without a sign for so long, an owner on another machine is dead
};

//! One writer at a time for an output, among all machines that share its file system. What the parts of one run write within a
//! locked folder (the models and cells of a sweep) needs no lock of its own.
//!
//! The lock is a file that names its owner: machine, process, start, Slurm job, as JSON. It is made under another name and gets
//! its own by link(2), which on NFS and Lustre too succeeds for one process alone (without hard links: by O_EXCL); flock and
//! fcntl are not used, as they may be missing there or hold for one machine only. The same output is met under any path that
//! leads to it.
//!
//! Whether the owner lives: on the same machine (name, start and namespace of process ids are equal) the process table says it at
//! once, and a process id that was used again does not deceive it (process_identity.hpp). An owner on another machine, or one
//! that the file does not name, gives a sign of life every `beat` by touching the file; who wants the lock watches the file, and
//! takes it over when it has not changed for `silence` by the watcher's own clock. No two clocks are compared, so they need not
//! agree.
//!
//! Taking over from a dead owner: the successor links its lock as `<lock>.<hash of the dead one's>`, which again one process
//! alone can do, and then checks that the chain from the first file to its own is still the one that it judged. The last of the
//! chain holds the output. Whoever releases it removes the first file first, so a process that still follows an old chain finds
//! it broken and begins anew. Nothing is ever renamed or removed that another process could have made in the meantime.
//!
//! An owner that was only suspended, and so lost its lock, learns it by require_held.
class OutputLock {
public:
    //! Takes the lock; makes the folder that it lies in. Throws Error: where a live run holds this output, a folder that it is
    //! part of, or a part of it, naming that run (exit code 1, nothing is touched); Error(io) where the folder cannot be written;
    //! Error(stopped) when `stop` becomes true during a wait of up to timing.silence. `self`: for tests, the owner to be written.
    explicit OutputLock(const std::filesystem::path& output, OutputKind kind, const std::function<bool()>& stop = {},
                        LockTiming timing = {}, const ProcessIdentity& self = this_process());
    //! Releases it, and removes folders that were made for it and are still empty.
    ~OutputLock();
    OutputLock(OutputLock&& other) noexcept;
    OutputLock& operator=(OutputLock&& other) noexcept;

    //! Throws Error unless this lock is still the output's. Call it before what cannot be undone.
    void require_held() const;

private:
    class Held;
    std::unique_ptr<Held> held_;
};

//! Where the lock of `output` lies: the first file of its chain.
std::filesystem::path lock_path(const std::filesystem::path& output, OutputKind kind);

}  // namespace xlrm
