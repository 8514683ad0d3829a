#pragma once

#include <exception>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/problem.hpp"

namespace xlrm {

//! What `work` threw, if anything.
template <typename Work>
Problem attempt(const Work& work) {
    try {
        work();
    } catch (...) {
        return describe_problem(std::current_exception());
    }
    return {};
}

//! How a rank waits for the others in an agreement: as MPI does, spinning, for work that all do alike; or with sleeps, for ranks
//! that may have to wait long.
enum class Wait { spinning, sleeping };

//! Collective. Returns when no rank has a problem; else all throw the same Error, marked as agreed: the problem of the first rank
//! that has one, with its code. A stop request gives way to any other problem. Among ranks that do alike (spinning) the rank is
//! named unless all say the same.
void agree_or_throw(const Communicator& group, const Problem& mine, Wait wait);

//! Collective. Runs `work`, which must not communicate, on every rank; when it throws on any, all throw that error, marked as
//! agreed: no rank waits for one that has given up, and the message is printed once.
template <typename Work>
void together(const Communicator& group, const Work& work) {
    agree_or_throw(group, attempt(work), Wait::spinning);
}

//! Collective. The same for work of the root alone, which may take long: the others wait without spinning.
template <typename Work>
void on_root(const Communicator& group, const Work& work) {
    agree_or_throw(group, group.root() ? attempt(work) : Problem{}, Wait::sleeping);
}

//! The outcome of a group's work that the world can agree on: `mine` itself where there is no problem, where the group agreed on
//! it, or where the group is one rank. Any other problem struck one rank while the rest of its group may wait for it in a
//! collective: end_job.
Problem settle_in_group(const Communicator& group, Problem mine);

//! Collective over `world`, of which `group` is a part. The ranks with `member` run `work`, which may communicate within `group`;
//! the others wait without spinning. Several groups may work at once. Always ends in an agreement of the world: when any group
//! failed, all ranks throw its error, marked as agreed.
template <typename Work>
void run_in_group(const Communicator& world, const Communicator& group, bool member, const Work& work) {
    agree_or_throw(world, member ? settle_in_group(group, attempt(work)) : Problem{}, Wait::sleeping);
}

}  // namespace xlrm
