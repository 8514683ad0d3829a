#include "xlrm/core/profile.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "profile_state.hpp"

namespace xlrm {
namespace {

// One open scope of a thread.
struct Frame {
    const char* name;
    ScopeKind kind;
    double flops;
    double inside = 0.0;     // seconds of the scopes within
    bool repeats = false;    // lies within a scope of the same name
    std::int64_t bytes = 0;  // at its begin
    ProfileClock::time_point begin;
};

thread_local std::vector<Frame> open_frames;

bool same(const Frame& frame, const char* name, ScopeKind kind) {
    return frame.kind == kind && std::strcmp(frame.name, name) == 0;
}

}  // namespace

Profile::Profile(bool events) : state_(std::make_unique<State>(events)) {}
Profile::~Profile() = default;

void Profile::clear() {
    const std::lock_guard lock(state_->mutex);
    state_->totals.clear();
    state_->events.clear();
    state_->memory.clear();
    state_->dropped = 0;
    state_->covered = 0.0;
    state_->start = ProfileClock::now();
}

std::vector<Profile::Total> Profile::totals() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Total> out;
    for (const auto& [key, total] : state_->totals) out.push_back(total);
    std::ranges::stable_sort(out, [](const Total& a, const Total& b) {
        return a.kind != b.kind ? a.kind == ScopeKind::stage : a.self_seconds > b.self_seconds;
    });
    return out;
}

double Profile::stage_seconds(const std::string& name) const {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->totals.find({ScopeKind::stage, name, false});
    return found == state_->totals.end() ? 0.0 : found->second.seconds;
}

double Profile::total_seconds() const { return seconds_between(state_->start, ProfileClock::now()); }

double Profile::covered_seconds() const {
    const std::lock_guard lock(state_->mutex);
    return state_->covered;
}

ProfileOn::ProfileOn(Profile& profile) : before_(detail::active_profile.load()) {
    profile.state_->main = std::this_thread::get_id();
    detail::active_profile.store(&profile);
}

ProfileOn::~ProfileOn() { detail::active_profile.store(before_); }

void ProfileScope::begin(const char* name, ScopeKind kind, double flops) {
    Frame frame{.name = name, .kind = kind, .flops = flops, .begin = {}};
    frame.repeats = std::ranges::any_of(open_frames, [&](const Frame& outer) { return same(outer, name, kind); });
    if (kind == ScopeKind::stage) frame.bytes = resident_bytes();
    frame.begin = ProfileClock::now();
    open_frames.push_back(frame);
}

void ProfileScope::end() noexcept {
    const auto now = ProfileClock::now();
    assert(!open_frames.empty());
    const Frame frame = open_frames.back();
    open_frames.pop_back();
    const double seconds = seconds_between(frame.begin, now);
    if (!open_frames.empty()) open_frames.back().inside += seconds;
    const bool stage = frame.kind == ScopeKind::stage;
    const std::int64_t bytes = stage ? resident_bytes() : 0;

    Profile::State& s = *profile_->state_;
    const std::lock_guard lock(s.mutex);
    const auto id = std::this_thread::get_id();
    const bool beside = id != s.main;
    Profile::Total& total = s.totals[{frame.kind, frame.name, beside}];
    if (total.calls == 0) total = {.name = frame.name, .kind = frame.kind, .beside = beside};
    ++total.calls;
    if (!frame.repeats) total.seconds += seconds;
    total.self_seconds += std::max(0.0, seconds - frame.inside);
    total.flops += frame.flops;
    total.peak_bytes = std::max({total.peak_bytes, frame.bytes, bytes});
    if (!beside && open_frames.empty()) s.covered += seconds;
    if (!s.keep_events) return;
    if (s.events.size() >= Profile::kMostEvents) {
        ++s.dropped;
        return;
    }
    const int thread = beside ? s.threads.try_emplace(id, static_cast<int>(s.threads.size()) + 1).first->second : 0;
    s.events.push_back({frame.name, frame.kind, thread, seconds_between(s.start, frame.begin), seconds, frame.flops});
    if (stage) s.memory.push_back({seconds_between(s.start, now), bytes});
}

}  // namespace xlrm
