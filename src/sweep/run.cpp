#include "xlrm/sweep/run.hpp"

#include <cstdio>
#include <functional>
#include <optional>
#include <thread>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/store/ledger.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/hand_out.hpp"
#include "xlrm/sweep/plan.hpp"
#include "xlrm/sweep/prepare_run.hpp"
#include "xlrm/sweep/stages.hpp"
#include "xlrm/sweep/supersede.hpp"
#include "xlrm/sweep/tables.hpp"
#include "xlrm/sweep/task_options.hpp"
#include "xlrm/sweep/workplace.hpp"

namespace xlrm {

namespace {

//! The root's plan on every rank.
Plan shared_plan(const Communicator& world, const Plan& plan) {
    const std::string text = world.broadcast(world.root() ? plan.to_json().dump() : "");
    return world.root() ? plan : Plan::from_json(parse_json(text, "plan of the sweep"));
}

void claim_folder(const SweepFolder& folder, const Json& effective) {
    require_writable(folder.root());
    folder.remove_leftovers();
    write_file_atomic(folder.config(), effective.dump(1) + "\n");
}

void make_way(const SweepFolder& folder, const Comparison& comparison) {
    if (comparison.differences.empty()) return;
    supersede(folder, superseded_by(folder, comparison));
    log_root(LogLevel::warning, "results of other content than this sweep's are kept in " +
                                    (folder.root() / "superseded").string() + " and made anew:\n" +
                                    format_superseded(comparison));
}

//! The coordinator in a thread of its own, on rank 0. It ends when the last leader was sent home or has left.
class CoordinatorThread {
public:
    explicit CoordinatorThread(std::function<HandOutResult()> serve)
        : thread_([this, serve = std::move(serve)] {
              const Problem problem = attempt([&] { result_ = serve(); });
              if (problem) end_job(problem);
          }) {}
    ~CoordinatorThread() {
        if (thread_.joinable()) thread_.join();
    }
    CoordinatorThread(const CoordinatorThread&) = delete;
    CoordinatorThread& operator=(const CoordinatorThread&) = delete;

    //! Throws its problem.
    HandOutResult result() {
        thread_.join();
        if (result_.problem) fail(result_.problem.message, result_.problem.code);
        return result_;
    }

private:
    HandOutResult result_;
    std::thread thread_;
};

//! Collective over the world. The tasks of one stage: groups of ranks, the coordinator beside the work of rank 0. The result is
//! the root's; `state` is read there.
HandOutResult run_stage(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan,
                        const Stage& stage, const PlanState& state) {
    const int size = std::min(stage.ranks, world.size());
    const int groups = stage.groups > 0 ? std::min(stage.groups, world.size() / size) : world.size() / size;
    const bool works = world.rank() < groups * size;
    const Communicator channel = world.duplicate();
    const Communicator group = world.split(works ? world.rank() / size : groups, world.rank());
    std::optional<CoordinatorThread> coordinator;
    on_root(world, [&] {
        coordinator.emplace([&, ledger = Ledger(folder.ledger())] { return serve(channel, groups, plan, state, ledger); });
    });
    run_in_group(world, group, works, [&] {
        Workplace place(group, config, folder, plan);
        work_loop(channel, group, plan,
                  [&](const Task& task, const std::function<bool()>& stop) { return place.work(task, stop); });
    });
    HandOutResult result;
    on_root(world, [&] { result = coordinator->result(); });
    return result;
}

//! Collective over the world. All tasks of the plan; the result is the root's.
HandOutResult run_tasks(const Communicator& world, const SweepConfig& config, const SweepFolder& folder, const Plan& plan) {
    HandOutResult result;
    std::vector<Stage> stages;
    on_root(world, [&] {
        const Activity activity("looking for finished tasks");
        result.state.done = folder.done(plan);
        stages = stages_of(plan, result.state.done, config.ranks_per_cell);
    });
    const std::int64_t count = world.max(static_cast<std::int64_t>(stages.size()));
    for (std::int64_t i = 0; i < count; ++i) {
        PlanState state = result.state;
        Stage stage;
        if (world.root()) stage = stages[static_cast<std::size_t>(i)];
        state.now = stage.tasks;
        stage.ranks = static_cast<int>(world.max(std::int64_t{stage.ranks}));
        stage.groups = static_cast<int>(world.max(std::int64_t{stage.groups}));
        result = run_stage(world, config, folder, plan, stage, state);
        if (world.any(result.stopped)) break;
    }
    return result;
}

void warn_of_idle_ranks(const Communicator& world, int ranks_per_cell) {
    const int size = std::min(ranks_per_cell, world.size());
    const int idle = world.size() % size;
    if (idle == 0) return;
    log_root(LogLevel::warning, std::to_string(idle) + " ranks stay idle: " + std::to_string(world.size()) +
                                    " ranks are not a multiple of --ranks-per-cell " + std::to_string(size));
}

//! The table, the headline of the analysis, and where they lie.
void show(const SweepFolder& folder, const SweepConfig& config) {
    const auto print = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    print(read_file(folder.table("txt")));
    std::printf("\nTables: %s, .md, .csv\n", folder.table("txt").c_str());
    const std::filesystem::path analysis = folder.place("analysis");
    if (config.analysis != "yes" || !std::filesystem::exists(analysis / "summary.json")) return;
    const Json summary = read_json(analysis / "summary.json");
    const Json& tables = summary.at("tables");
    if (tables.contains("headline") && !tables.at("headline").at("rows").empty())
        print("\n" + read_file(analysis / "headline.md") + "\n");
    const std::size_t remarks = summary.at("statements").size();
    std::printf("Analysis: %s, with %zu remark%s on the data\n", (analysis / "summary.json").c_str(), remarks,
                remarks == 1 ? "" : "s");
}

JobEnd conclude(const SweepFolder& folder, const SweepConfig& config, const Plan& plan, const HandOutResult& result, bool quiet) {
    if (result.stopped) {
        return {ExitCode::stopped, "stopped by a signal: of " + std::to_string(plan.tasks.size()) + " tasks " +
                                       std::to_string(result.done) + " are done and kept in " + folder.root().string() + ", " +
                                       std::to_string(result.left) + " are left; the same command goes on with them"};
    }
    const Activity activity("writing the tables");
    write_tables(folder, plan);
    if (!quiet) show(folder, config);
    if (result.failed == 0) return ExitCode::done;
    const std::string reason = std::to_string(result.failed) + " of " + std::to_string(plan.tasks.size()) +
                               " tasks failed (xlrm_sweep status " + folder.root().string() +
                               " says why); the same command tries them again";
    log_root(LogLevel::warning, reason);
    return {ExitCode::some_failed, reason};
}

}  // namespace

JobEnd run_sweep(const Communicator& world, const Options& options, SweepConfig config, bool quiet) {
    together(world, [&] {
        config.check();
        require(threads_may_communicate(),
                "this MPI does not let several threads call it (MPI_THREAD_MULTIPLE was not granted), and the sweep's "
                "coordinator runs beside the work of rank 0; use an MPI that was built with it");
    });
    if (config.ranks_per_cell > world.size()) {
        log_root(LogLevel::warning, "--ranks-per-cell " + std::to_string(config.ranks_per_cell) + ": there are " +
                                        std::to_string(world.size()) + " ranks");
    }
    const SweepFolder folder{config.output};
    PreparedRun prepared;
    std::optional<OutputLock> lock;  // on the root; it covers all models and cells below
    on_root(world, [&] {
        const Activity activity("checking the inputs");
        lock.emplace(folder.root(), OutputKind::filled, stop_requested);
        prepared = prepare_run(options, config, folder);
        claim_folder(folder, options.effective());
        make_way(folder, prepared.comparison);
    });
    const Plan plan = shared_plan(world, prepared.plan);
    together(world, [&] { use_world(config, folder.world()); });
    on_root(world, [&] { write_file_atomic(folder.plan(), plan.to_json().dump(1) + "\n"); });
    warn_of_idle_ranks(world, config.ranks_per_cell);
    const HandOutResult result = run_tasks(world, config, folder, plan);
    JobEnd end = ExitCode::done;
    on_root(world, [&] { end = conclude(folder, config, plan, result, quiet); });
    end.code = static_cast<ExitCode>(world.max(static_cast<std::int64_t>(end.code)));
    return end;
}

}  // namespace xlrm
