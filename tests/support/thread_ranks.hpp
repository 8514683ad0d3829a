#pragma once

#include <functional>

namespace xlrm {

//! Runs `body(rank)` on `ranks` threads, each of which is a rank of an MPI of threads (thread_ranks.cpp), and joins them. What a
//! body throws is a failure of the test. A program linked with thread_ranks.cpp has that MPI instead of Open MPI's, whose waiting
//! ThreadSanitizer cannot follow: our own code is the same, and every message is a copy under a lock that it does see.
void run_ranks(int ranks, const std::function<void(int rank)>& body);

}  // namespace xlrm
