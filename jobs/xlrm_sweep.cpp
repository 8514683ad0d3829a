// The grid: train one reward model for each (base, source, seed), evaluate each on every target, tabulate.
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/sweep/compare.hpp"
#include "xlrm/sweep/draw_report.hpp"
#include "xlrm/sweep/run.hpp"
#include "xlrm/sweep/status.hpp"
#include "xlrm/sweep/tables.hpp"

using namespace xlrm;

namespace {

ExitCode show_status(const SweepFolder& folder, bool json, bool watch) {
    for (;;) {
        const Json status = sweep_status(folder);
        std::printf("%s", json ? (status.dump() + "\n").c_str() : format_status(status).c_str());
        std::fflush(stdout);
        if (!watch || status.at("state") == "done") return status_code(status);
        std::this_thread::sleep_for(std::chrono::seconds(5));
    }
}

//! status, verify and table only read the folder, so they need no MPI.
ExitCode look(const std::vector<std::string>& words, bool json, bool watch) {
    require(words.size() == 2 && !words[1].empty(),
            "xlrm_sweep " + words[0] + ": give the sweep folder (xlrm_sweep " + words[0] + " OUT)", ExitCode::usage);
    const SweepFolder folder(words[1]);
    if (words[0] == "status") return show_status(folder, json, watch);
    if (words[0] == "verify") return verify_folder(folder);
    const Plan plan = folder.read_plan();
    require_same_inputs(folder, plan);
    warn_of_unrecorded(folder, require_same_results(folder, plan));
    std::printf("%s", format_text(write_tables(folder, plan)).c_str());
    return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
    SweepConfig config;
    std::vector<std::string> words;
    bool json = false;
    bool watch = false;
    bool dot = false;
    Options options("xlrm_sweep",
                    "Trains a reward model for each (base, source language, seed) and evaluates each on every target language.");
    options.positional(&words, "run (default) | plan | status OUT | verify OUT | table OUT");
    describe(options, config);
    options.section("sweep")
        .add("json", &json, "status: one JSON object")
        .add("watch", &watch, "status: again every 5 s until all is done")
        .add("dot", &dot, "plan: the graph of tasks for Graphviz (xlrm_sweep plan --dot | dot -Tsvg)");
    embed_config(options, argc, argv);
    const bool looks_only =
        argc > 1 && (argv[1] == std::string("status") || argv[1] == std::string("verify") || argv[1] == std::string("table"));
    if (looks_only) return run_local(argc, argv, std::move(options), [&](const Options&) { return look(words, json, watch); });
    bool draws = false;  // on the root
    const int code = run_job(argc, argv, std::move(options), [&](const Communicator& world, const Options& parsed) -> JobEnd {
        together(world, [&] {
            require(words.empty() || words == std::vector<std::string>{"run"} || words == std::vector<std::string>{"plan"},
                    "\"" + (words.empty() ? "" : words[0]) +
                        "\" is not one of run, plan, status OUT, verify OUT, table OUT (first argument)",
                    ExitCode::usage);
            complete(config, parsed);
        });
        const bool plan = !words.empty() && words[0] == "plan";
        if (!parsed.dry_run() && !plan) {
            const JobEnd end = run_sweep(world, parsed, config);
            const bool analysed = config.analysis == "yes" && (end.code == ExitCode::done || end.code == ExitCode::some_failed);
            draws = world.root() && analysed && config.report == "yes";
            return end;
        }
        const std::string report = plan ? sweep_plan(world, parsed, config, dot) : sweep_report(world, parsed, config);
        if (world.root()) std::printf("%s", report.c_str());
        return ExitCode::done;
    });
    if (draws) draw_report(config.output, config.analyze.english);
    return code;
}
