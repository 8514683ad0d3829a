#pragma once

#include <functional>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/problem.hpp"
#include "xlrm/store/ledger.hpp"
#include "xlrm/sweep/coordinator.hpp"

namespace xlrm {

//! What became of the whole plan.
struct HandOutResult {
    std::int64_t done = 0, failed = 0, left = 0;
    bool stopped = false;
    PlanState state;                    //!< of the tasks after it
    std::vector<std::string> failures;  //!< "task: reason"
    //! What kept the coordinator from going on: the ledger cannot be written, an essential task failed. All leaders were sent
    //! home.
    Problem problem;
};

//! The coordinator's side, on rank 0, in a thread of its own: answers the leaders of `groups` groups over `channel` until every
//! leader was sent home. `channel` is a communicator that nothing else uses. Messages are JSON texts:
//!     leader → {"ready": loaded model, "stop": whether a rank of its group was asked to stop}    first, and after each result
//!     leader → {"done": task, "seconds": s, "facts": {…}} | {"failed": task, "reason": text, "code": exit code}
//!              | {"returned": task}
//!     leader → {"left": true}    an exception ended its group
//!     rank 0 → {"task": index} | {"stop": true} (finish nothing new, give back what runs) | {"quit": true}
//! After a stop request of any rank, and after a problem, nothing new is handed out. Logs every start and end to `ledger` and
//! shows progress. Throws only when it cannot talk to the leaders any more, who may then wait for ever (end_job).
HandOutResult serve(const Communicator& channel, int groups, const Plan& plan, const PlanState& state, const Ledger& ledger);

//! Collective over `group`: leader asks, all ranks of the group run `work(task, stop)`, leader reports, until told to quit. Every
//! rank's `stop` reads true once a stop request reached any rank of the group or the coordinator (agreed by the group inside
//! `work`). An exception passes through, and the coordinator hears that the group has left.
void work_loop(const Communicator& channel, const Communicator& group, const Plan& plan,
               const std::function<TaskOutcome(const Task&, const std::function<bool()>&)>& work);

}  // namespace xlrm
