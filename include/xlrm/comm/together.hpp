#pragma once

#include <exception>
#include <new>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

//! What `work` threw, as text and code.
struct Outcome {
    std::string message;  //!< "" = it went well
    ExitCode code = ExitCode::done;
};

template <typename Work>
Outcome attempt(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return {error.what(), error.code()};
    } catch (const std::bad_alloc&) {
        return {"out of memory (use a smaller --token-budget, --dtype bf16, or more ranks)", ExitCode::failure};
    } catch (const std::exception& error) {
        return {error.what(), ExitCode::failure};
    }
    return {};
}

//! Collective. Runs `work`, which must not communicate, on every rank; when it throws on any, all throw the first rank's error, marked
//! as agreed: no rank waits for one that has given up, and the message is printed once.
template <typename Work>
void together(const Communicator& group, const Work& work) {
    const Outcome mine = attempt(work);
    const std::string first = group.agree(mine.message);
    const auto worst = static_cast<ExitCode>(group.max(static_cast<std::int64_t>(mine.code)));
    if (!first.empty()) throw Error(first, worst).mark_agreed();
}

//! Collective. The same for work of the root alone, which may take long: the others wait without spinning.
template <typename Work>
void on_root(const Communicator& group, const Work& work) {
    const Outcome mine = group.root() ? attempt(work) : Outcome{};
    if (!group.any_after_wait(!mine.message.empty())) return;
    const auto code = static_cast<ExitCode>(group.max(static_cast<std::int64_t>(mine.code)));
    throw Error(group.broadcast(mine.message), code).mark_agreed();
}

}  // namespace xlrm
