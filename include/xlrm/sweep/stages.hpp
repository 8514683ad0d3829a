#pragma once

#include <vector>

#include "xlrm/sweep/plan.hpp"

namespace xlrm {

//! Tasks that are done at a time by groups of one size.
struct Stage {
    int ranks = 1;
    int groups = 0;           //!< as many as its tasks can use; 0 = all that there are ranks for
    std::vector<bool> tasks;  //!< empty = all
};

//! MPI's ranks are divided once a stage: tasks that want groups of another size than `usual_ranks` come first, a stage for each
//! size, together with those that they need; then all others, then those that want all ranks (kAllRanks), one group of as many as
//! there are. `done` tasks ask for none, and there is no stage where all are. A size of 0 in a task is any. REQUIRES: what such a
//! task needs wants its size, or any.
std::vector<Stage> stages_of(const Plan& plan, const std::vector<bool>& done, int usual_ranks);

}  // namespace xlrm
