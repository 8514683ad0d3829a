#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! Stages are the parts of a job (reading, packing, forward, backward, optimiser, reduction); operations are what they call.
enum class ScopeKind { stage, op };

//! Where the time of one process goes. Scopes that begin and end while a profile is switched on (ProfileOn) are counted; with
//! none switched on a scope costs one load and one comparison, and it never changes what is computed. Any thread may have scopes.
//! The thread that switches a profile on is the main one; the time of others runs beside it.
class Profile {
public:
    //! `events`: keep each scope for a trace, up to kMostEvents of them; totals count all.
    explicit Profile(bool events = true);
    ~Profile();
    static constexpr std::size_t kMostEvents = 2'000'000;

    struct Total {
        std::string name;
        ScopeKind kind = ScopeKind::op;
        bool beside = false;  //!< on a thread that is not the main one
        std::int64_t calls = 0;
        double seconds = 0.0;         //!< from begin to end; a scope within one of its own name is not counted twice
        double self_seconds = 0.0;    //!< without the scopes inside
        double flops = 0.0;           //!< as the scopes told them
        std::int64_t peak_bytes = 0;  //!< stages: the largest resident memory seen at a begin or an end
    };
    //! Stages first, then by time; of finished scopes.
    std::vector<Total> totals() const;
    //! Of a stage on the main thread; 0 where there was none.
    double stage_seconds(const std::string& name) const;
    //! Since the profile was made or cleared.
    double total_seconds() const;
    //! Time of the main thread's outermost scopes.
    double covered_seconds() const;
    void clear();

    //! Chrome's trace format (chrome://tracing, Perfetto): complete events "X" in microseconds with pid = `rank` and tid = 0 for
    //! the main thread; counters "C" of resident memory; and under "xlrm" the totals, total_s, covered_s, peak_bytes and
    //! dropped_events.
    void write(const std::filesystem::path& file, int rank) const;
    //! A table for people.
    std::string table() const;

private:
    friend class ProfileScope;
    friend class ProfileOn;
    struct State;
    std::unique_ptr<State> state_;
};

namespace detail {
inline std::atomic<Profile*> active_profile{nullptr};
}

//! Whether a profile is on: for what costs something to tell a scope.
inline bool profiling() { return detail::active_profile.load(std::memory_order_relaxed) != nullptr; }

//! Switches a profile on for the whole process while it lives; the one before is switched on again afterwards. On the main thread
//! alone, while other threads have no scopes open.
class ProfileOn {
public:
    explicit ProfileOn(Profile& profile);
    ~ProfileOn();
    ProfileOn(const ProfileOn&) = delete;
    ProfileOn& operator=(const ProfileOn&) = delete;

private:
    Profile* const before_;
};

//! One stretch of time. `name` must live for ever (a literal). Scopes of one thread nest.
class ProfileScope {
public:
    explicit ProfileScope(const char* name, ScopeKind kind = ScopeKind::op, double flops = 0.0)
        : profile_(detail::active_profile.load(std::memory_order_relaxed)) {
        if (profile_ != nullptr) begin(name, kind, flops);
    }
    ~ProfileScope() {
        if (profile_ != nullptr) end();
    }
    ProfileScope(const ProfileScope&) = delete;
    ProfileScope& operator=(const ProfileScope&) = delete;

private:
    void begin(const char* name, ScopeKind kind, double flops);
    void end() noexcept;
    Profile* const profile_;
};

//! A stage: `const StageScope scope("forward");`
class StageScope : public ProfileScope {
public:
    explicit StageScope(const char* name) : ProfileScope(name, ScopeKind::stage) {}
};

//! The file of one rank: `file` itself of a lone process, else `file`.rankN.
std::filesystem::path profile_file(const std::filesystem::path& file, int rank, int size);

//! Runs `body` with a profile switched on, then writes profile_file(…) and, on rank 0, prints the table on standard error. An
//! empty `file`: runs `body` and nothing else. The file is checked to be writable before.
void run_profiled(const std::filesystem::path& file, int rank, int size, const std::function<void()>& body);

//! Resident memory of this process now, and the most since its start (or the last reset_peak_memory); bytes, 0 where the system
//! does not tell.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();
//! Memory that this process and others beside it may still take: the system's own figure, or less where a control group limits
//! it; 0 where neither is told.
std::int64_t available_bytes();
//! Starts the peak anew. False where the system does not allow it (then the peak stays that of the whole process).
bool reset_peak_memory();

//! Since the system started this process, to 10 ms; 0 where the system does not tell.
double process_seconds();

}  // namespace xlrm
