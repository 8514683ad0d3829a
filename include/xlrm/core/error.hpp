#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace xlrm {

//! Exit codes of every program.
enum class ExitCode : int {
    done = 0,
    failure = 1,      //!< bad data, or something failed
    usage = 2,        //!< bad command line or configuration
    some_failed = 3,  //!< finished, some cells failed
    io = 74,          //!< a file could not be read or written
    stopped = 75,     //!< stopped early; the same command resumes
};

//! What the outside can cause: bad input, a missing file, a full disk. Our own bugs are `assert`.
//! The message reads: problem (why it matters) what to do, and names the path, row, field or option.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& message, ExitCode code = ExitCode::failure,
                   std::source_location where = std::source_location::current());
    ExitCode code() const noexcept { return code_; }
    //! "src/store/cell_file.cpp:41", for logs.
    const std::string& where() const noexcept { return where_; }

    //! Whether every rank of the group throws this error together (Communicator::agree), so that the group may go on afterwards.
    bool agreed() const noexcept { return agreed_; }
    Error& mark_agreed() noexcept {
        agreed_ = true;
        return *this;
    }

private:
    ExitCode code_;
    std::string where_;
    bool agreed_ = false;
};

//! Throws Error(message) at the caller's place.
[[noreturn]] void fail(const std::string& message, ExitCode code = ExitCode::failure,
                       std::source_location where = std::source_location::current());

//! Throws Error(message) unless `ok`. For messages that cost something to build, write `if (!ok) fail(...)`.
void require(bool ok, std::string_view message, ExitCode code = ExitCode::failure,
             std::source_location where = std::source_location::current());

}  // namespace xlrm
