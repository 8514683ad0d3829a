#pragma once

#include <exception>
#include <string>

#include "xlrm/core/error.hpp"

namespace xlrm {

//! What an exception means to the user.
struct Problem {
    std::string message;  //!< "" = there is none
    ExitCode code = ExitCode::done;
    bool agreed = false;  //!< see Error::agreed()

    explicit operator bool() const noexcept { return !message.empty(); }
};

//! The exception as one sentence or two, never a bare what(): an Error as it is; missing memory, C++'s or libtorch's own; a
//! refusal of the file system (code io); anything else as an internal error with the innermost Activity that it ended, the first
//! line of its reason, and the request to report it.
Problem describe_problem(const std::exception_ptr& exception);

//! What the calling thread is doing, for the message of an error that does not say so itself:
//!     const Activity activity("reading the training data");
//! `what` must live for ever (a literal).
class Activity {
public:
    explicit Activity(const char* what) noexcept;
    ~Activity();
    Activity(const Activity&) = delete;
    Activity& operator=(const Activity&) = delete;

private:
    const char* const what_;
    const int exceptions_;
};

}  // namespace xlrm
