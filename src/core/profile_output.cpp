#include <cerrno>
#include <cstdio>
#include <cstring>

#include "profile_state.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

double gib(std::int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0); }

const char* name_of(ScopeKind kind) { return kind == ScopeKind::stage ? "stage" : "op"; }

Json json_of(const Profile::Total& total) {
    Json out = {{"name", total.name},   {"kind", name_of(total.kind)}, {"beside", total.beside},
                {"calls", total.calls}, {"total_s", total.seconds},    {"self_s", total.self_seconds}};
    if (total.flops > 0.0) out["flops"] = total.flops;
    if (total.flops > 0.0 && total.seconds > 0.0) out["gflop_per_s"] = 1e-9 * total.flops / total.seconds;
    if (total.peak_bytes > 0) out["peak_bytes"] = total.peak_bytes;
    return out;
}

std::string line_of(const Profile::Total& total, double all) {
    char text[200];
    std::snprintf(text, sizeof text, "  %-28s %9lld %10.3f %10.3f %6.1f %%",
                  (total.name + (total.beside ? " (beside)" : "")).c_str(), static_cast<long long>(total.calls), total.seconds,
                  total.self_seconds, all > 0.0 ? 100.0 * total.self_seconds / all : 0.0);
    std::string line = text;
    if (total.flops > 0.0 && total.seconds > 0.0) {
        std::snprintf(text, sizeof text, " %10.1f GFLOP/s", 1e-9 * total.flops / total.seconds);
        line += text;
    }
    if (total.peak_bytes > 0) {
        std::snprintf(text, sizeof text, " %8.2f GiB", gib(total.peak_bytes));
        line += text;
    }
    return line + "\n";
}

}  // namespace

void Profile::write(const std::filesystem::path& file, int rank) const {
    Json summary = {{"total_s", total_seconds()}, {"covered_s", covered_seconds()}, {"peak_bytes", peak_resident_bytes()}};
    summary["totals"] = Json::array();
    for (const Total& total : totals()) summary["totals"].push_back(json_of(total));
    const std::lock_guard lock(state_->mutex);
    summary["dropped_events"] = state_->dropped;
    // Written piece by piece: a long run has millions of events.
    write_file_atomic(file, [&](const std::filesystem::path& path) {
        std::FILE* out = std::fopen(path.c_str(), "wx");
        if (out == nullptr) return;  // write_file_atomic tells
        std::fprintf(out, "{\"displayTimeUnit\": \"ms\", \"xlrm\": %s,\n\"traceEvents\": [\n", summary.dump().c_str());
        std::fprintf(out,
                     "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": %d, \"tid\": 0, \"args\": {\"name\": \"rank %d\"}}",
                     rank, rank);
        for (const State::Event& event : state_->events) {
            std::fprintf(out,
                         ",\n{\"name\": %s, \"cat\": \"%s\", \"ph\": \"X\", \"ts\": %.3f, \"dur\": %.3f, \"pid\": %d, \"tid\": "
                         "%d, \"args\": {\"flops\": %.0f}}",
                         Json(event.name).dump().c_str(), name_of(event.kind), 1e6 * event.begin, 1e6 * event.seconds, rank,
                         event.thread, event.flops);
        }
        for (const State::Memory& memory : state_->memory) {
            std::fprintf(
                out, ",\n{\"name\": \"resident memory\", \"ph\": \"C\", \"ts\": %.3f, \"pid\": %d, \"args\": {\"bytes\": %lld}}",
                1e6 * memory.at, rank, static_cast<long long>(memory.bytes));
        }
        std::fprintf(out, "\n]}\n");
        const bool failed = std::ferror(out) != 0;
        if (std::fclose(out) != 0 || failed)
            fail(file.string() + ": the profile could not be written (" + std::strerror(errno) + ")", ExitCode::io);
    });
}

std::string Profile::table() const {
    const double all = total_seconds();
    const std::vector<Total> rows = totals();
    char text[200];
    std::snprintf(text, sizeof text,
                  "profile: %.3f s, of them %.1f %% in scopes; peak memory %.2f GiB\n  %-28s %9s %10s %10s %8s\n", all,
                  all > 0.0 ? 100.0 * covered_seconds() / all : 0.0, gib(peak_resident_bytes()), "stage", "calls", "seconds",
                  "own", "share");
    std::string out = text;
    bool ops = false;
    for (const Total& row : rows) {
        if (row.kind == ScopeKind::op && !ops) out += "  operation\n";
        ops = row.kind == ScopeKind::op;
        out += line_of(row, all);
    }
    return out;
}

std::filesystem::path profile_file(const std::filesystem::path& file, int rank, int size) {
    return size == 1 ? file : std::filesystem::path(file.string() + ".rank" + std::to_string(rank));
}

void run_profiled(const std::filesystem::path& file, int rank, int size, const std::function<void()>& body) {
    if (file.empty()) return body();
    require_writable(file.parent_path().empty() ? "." : file.parent_path());
    Profile profile;
    {
        const ProfileOn on(profile);
        body();
    }
    profile.write(profile_file(file, rank, size), rank);
    if (rank == 0) std::fputs(profile.table().c_str(), stderr);
}

}  // namespace xlrm
