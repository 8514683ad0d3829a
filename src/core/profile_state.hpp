#pragma once

#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <tuple>

#include "xlrm/core/profile.hpp"

namespace xlrm {

using ProfileClock = std::chrono::steady_clock;

inline double seconds_between(ProfileClock::time_point begin, ProfileClock::time_point end) {
    return std::chrono::duration<double>(end - begin).count();
}

struct Profile::State {
    struct Event {
        const char* name;
        ScopeKind kind;
        int thread;
        double begin, seconds, flops;  // seconds since `start`
    };
    struct Memory {
        double at;
        std::int64_t bytes;
    };
    using Key = std::tuple<ScopeKind, std::string_view, bool>;

    const bool keep_events;
    mutable std::mutex mutex;
    std::thread::id main;
    std::map<std::thread::id, int> threads;  // numbers of the others, from 1
    std::map<Key, Total> totals;
    std::vector<Event> events;
    std::vector<Memory> memory;
    std::int64_t dropped = 0;
    double covered = 0.0;
    ProfileClock::time_point start = ProfileClock::now();

    explicit State(bool events_kept) : keep_events(events_kept) {}
};

}  // namespace xlrm
