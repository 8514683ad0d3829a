#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "ops/cpu/mkl.hpp"
#include "ops/cpu/row_blocks.hpp"

namespace xlrm::cpu {

//! Calls body(begin, end) with one share of n on each thread, a multiple of kRowBlock each while they last, and then none. All
//! threads take part even so: inside a parallel region oneDNN uses the calling thread alone. Left to their own threads the
//! libraries may divide the depth, and then a row's bits depend on the number of rows.
template <class Body>
void for_shares(std::int64_t n, Body body) {
    const std::int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    const std::int64_t share = ((n + threads - 1) / threads + kRowBlock - 1) / kRowBlock * kRowBlock;
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        const OneMklThread guard;
        for (std::int64_t i = begin; i < end; ++i)
            if (i * share < n) body(i * share, std::min(n, (i + 1) * share));
    });
}

//! Calls body(task) for each of n tasks of unequal length; a thread that is free takes the next one.
template <class Body>
void for_tasks(std::int64_t n, Body body) {
    std::atomic<std::int64_t> next{0};
    at::parallel_for(0, std::min<std::int64_t>(n, at::in_parallel_region() ? 1 : at::get_num_threads()), 1,
                     [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t share = begin; share < end; ++share)
                             for (std::int64_t task = next++; task < n; task = next++) body(task);
                     });
}

}  // namespace xlrm::cpu
