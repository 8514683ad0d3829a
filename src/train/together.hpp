#pragma once

#include <exception>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

//! Collective. Runs `work`, which must not communicate, on every rank; when it throws on any, all throw the first rank's error, so
//! that no rank waits for one that has given up.
template <typename Work>
void together(const Communicator& group, const Work& work) {
    std::string message;
    ExitCode code = ExitCode::done;
    try {
        work();
    } catch (const Error& error) {
        message = error.what();
        code = error.code();
    } catch (const std::exception& error) {
        message = error.what();
        code = ExitCode::failure;
    }
    const std::string first = group.agree(message);
    const auto worst = static_cast<ExitCode>(group.max(static_cast<std::int64_t>(code)));
    if (!first.empty()) fail(first, worst);
}

}  // namespace xlrm
