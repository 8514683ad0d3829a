#include "xlrm/sweep/run.hpp"

#include <cstdio>
#include <exception>
#include <thread>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/store/ledger.hpp"
#include "xlrm/sweep/dispatch.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/sweep/prologue.hpp"
#include "xlrm/sweep/transfer_table.hpp"
#include "xlrm/sweep/worker.hpp"

namespace xlrm {

namespace {

//! Options that may differ between runs of one folder: they change which cells there are, or nothing in them.
bool may_change(const std::string& name) {
    for (const char* free : {"sweep.bases", "sweep.sources", "sweep.targets", "sweep.seeds", "sweep.output", "sweep.pretrain-ranks", "data.langs",
                             "data.root", "train.checkpoint-every", "pretrain.checkpoint-every", "train.token-budget", "evaluate.token-budget"}) {
        if (name == free) return true;
    }
    return name.find('.') == std::string::npos || name.rfind("data.eval.", 0) == 0;
}

//! Writes the configuration, or compares it with the one that the folder was made with.
void claim_folder(const SweepFolder& folder, const Json& effective) {
    require_writable(folder.root());
    folder.remove_leftovers();
    if (!std::filesystem::exists(folder.config())) {
        write_file_atomic(folder.config(), effective.dump(1) + "\n");
        return;
    }
    const Json stored = read_json(folder.config());
    for (const auto& [name, value] : effective.items()) {
        if (may_change(name) || !stored.contains(name) || stored.at(name) == value) continue;
        fail(folder.root().string() + " holds a sweep with " + name + " = " + stored.at(name).dump() + ", now it is " + value.dump() +
                 " (its cells could not be compared); choose another --output, or give the same value",
             ExitCode::usage);
    }
}

//! The cells: groups of ranks, the coordinator in a thread on rank 0.
DispatchResult run_cells(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan) {
    const int size = std::min(config.ranks_per_cell, world.size());
    const int groups = world.size() / size;
    const bool works = world.rank() < groups * size;
    if (groups * size < world.size()) {
        log_root(LogLevel::warning, std::to_string(world.size() - groups * size) + " ranks stay idle: " + std::to_string(world.size()) +
                                        " ranks are not a multiple of --ranks-per-cell " + std::to_string(size));
    }
    const Communicator channel = world.duplicate();
    const Communicator group = world.split(works ? world.rank() / size : groups, world.rank());
    DispatchResult result;
    std::exception_ptr problem;
    std::thread server;
    if (world.root()) {
        const std::vector<bool> done = folder.done(plan);
        server = std::thread([&, done] {
            try {
                result = serve(channel, groups, plan, done, Ledger(folder.ledger()));
            } catch (...) {
                problem = std::current_exception();
                end_job(problem);  // leaders would wait for answers for ever
            }
        });
    }
    try {
        if (works) {
            Worker worker(group, config, folder);
            work_loop(channel, group, plan, [&](const Task& task, const std::function<bool()>& stop) { return worker.work(task, stop); });
        }
    } catch (...) {
        end_job(std::current_exception());  // the coordinator's thread still runs and could not be joined
    }
    if (server.joinable()) server.join();
    return result;
}

ExitCode conclude(const SweepFolder& folder, const Plan& plan, const DispatchResult& result, bool quiet) {
    if (result.stopped) {
        log_root(LogLevel::info, std::to_string(result.left) + " cells are left; the same command goes on with them");
        return ExitCode::stopped;
    }
    write_tables(folder, plan);
    if (!quiet) {
        const std::string table = read_file(folder.table("txt"));
        std::fwrite(table.data(), 1, table.size(), stdout);
        std::printf("\nTables: %s, .md, .csv\n", folder.table("txt").c_str());
    }
    if (result.failed == 0) return ExitCode::done;
    log_root(LogLevel::error, std::to_string(result.failed) + " cells failed; run the same command again to retry them:");
    for (const std::string& failure : result.failures) log_root(LogLevel::error, "  " + failure);
    return ExitCode::some_failed;
}

}  // namespace

ExitCode run_sweep(const Communicator& world, const Options& options, SweepConfig config, bool quiet) {
    together(world, [&] { config.check(); });
    const SweepFolder folder{config.output};
    on_root(world, [&] { claim_folder(folder, options.effective()); });
    if (!run_prologue(world, config, folder)) {
        log_root(LogLevel::info, "stopped while the base was made; the same command goes on");
        return ExitCode::stopped;
    }
    const Plan plan = make_plan(config);
    on_root(world, [&] { write_file_atomic(folder.plan(), plan.to_json().dump(1) + "\n"); });
    const DispatchResult result = run_cells(world, config, folder, plan);
    ExitCode code = ExitCode::done;
    if (world.root()) code = conclude(folder, plan, result, quiet);
    return static_cast<ExitCode>(world.max(static_cast<std::int64_t>(world.root() ? static_cast<int>(code) : 0)));
}

}  // namespace xlrm
