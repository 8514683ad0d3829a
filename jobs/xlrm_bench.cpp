// Speed on this machine: products, training, scoring, tokenising, reduction; a table, and JSON by option.
#include <cstdio>

#include "xlrm/bench/bench.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"

int main(int argc, char** argv) {
    xlrm::BenchOptions bench;
    xlrm::Options options(
        "xlrm_bench",
        "Measures speed on this machine, on random models and synthetic pairs unless files are given. Give OMP_NUM_THREADS "
        "threads to each "
        "rank, start ranks with mpirun --bind-to none, and let nothing else run. --dry-run says what would run and how long.");
    describe(options, bench);
    return xlrm::run_job(argc, argv, std::move(options), [&](const xlrm::Communicator& world, const xlrm::Options& given) {
        if (given.dry_run()) {
            const std::string plan = xlrm::bench_plan(world, bench);
            if (world.root()) std::fputs(plan.c_str(), stdout);
            return xlrm::ExitCode::done;
        }
        xlrm::BenchReport report = xlrm::run_bench(world, bench);
        report.json["options"] = given.effective();
        xlrm::on_root(world, [&] {
            std::fputs(report.table.c_str(), stdout);
            if (!bench.json.empty()) xlrm::write_file_atomic(bench.json, report.json.dump(1) + "\n");
        });
        return xlrm::ExitCode::done;
    });
}
