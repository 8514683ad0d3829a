#include <algorithm>
#include <map>

#include "cases.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/run.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kCellsABenchmark = 10;  // the base and one reward model, on five languages
constexpr std::int64_t kCellsEnough = 1000;    // of all runs of one number
constexpr int kItems = 4;                      // of each language

// Sweeps of one tiny base, source and seed on the smoke world's languages; their benchmarks are all the same few rows.
class SweepGrid {
public:
    explicit SweepGrid(const Bench& bench) : world_(bench.world), folder_(bench.world), options_("xlrm_bench", "") {
        together(world_, [&] {
            describe(options_, config_);
            // xlrm_sweep's own smoke configuration.
            const char* const words[] = {"xlrm_bench", "--smoke"};
            embed_config(options_, 2, words);
            options_.parse(2, words);
            config_.device = bench.options.device;
        });
        config_.smoke = false;
        config_.world = "smoke";
        config_.sources = {"en"};
        run("base");
        const SweepFolder made(config_.output);
        config_.world.clear();
        config_.bases = {"base=" + made.model("base").string()};
        config_.train_files = {(made.world() / "train.jsonl").string()};
        on_root(world_, [&] { write_file_atomic(items(), few_items(made.world() / "test.jsonl")); });
    }

    // Collective. Seconds of a sweep of `cells` cells more in a folder where the models are there already.
    double seconds(std::int64_t cells) {
        config_.benchmarks = {{"b0", {items()}}};
        const std::string name = "sweep" + std::to_string(++sweeps_);
        run(name);
        for (std::int64_t b = 1; b <= cells / kCellsABenchmark; ++b) config_.benchmarks["b" + std::to_string(b)] = {items()};
        const double seconds = timed(world_, [&] { run(name); });
        on_root(world_, [&] { std::filesystem::remove_all(config_.output); });
        return seconds;
    }

private:
    void run(const std::string& name) {
        config_.output = (folder_ / name).string();
        config_.analysis = "no";
        const JobEnd end = run_sweep(world_, options_, config_, true);
        if (end.code == ExitCode::done) return;
        throw Error("the sweep that is measured did not end well: " + end.reason, end.code).mark_agreed();
    }

    std::string items() const { return (folder_ / "items.jsonl").string(); }

    static std::string few_items(const std::filesystem::path& rows) {
        std::map<std::string, int> seen;
        std::string out;
        for_each_line(rows, [&](std::int64_t number, std::string_view line) {
            const Json row = parse_json(line, rows.string() + ":" + std::to_string(number));
            if (++seen[row.at("lang").get<std::string>()] <= kItems) out.append(line).append("\n");
        });
        return out;
    }

    const Communicator& world_;
    const SharedTemporaryFolder folder_;
    Options options_;
    SweepConfig config_;
    int sweeps_ = 0;
};

std::int64_t runs_of(const BenchOptions& options, std::int64_t cells) {
    return std::clamp<std::int64_t>(kCellsEnough / cells, 1, options.repeat);
}

}  // namespace

void add_cells(const Bench& bench, BenchCases& cases) {
    const auto grid = std::make_shared<std::unique_ptr<SweepGrid>>();  // made by the first of them
    for (const std::string& text : bench.options.cell_counts) {
        const std::int64_t cells = std::stoll(text);
        const double seconds = 0.03 * static_cast<double>(cells * runs_of(bench.options, cells)) + 5.0;
        cases.push_back({"cells", text + " cells", "fp32", 0.0, seconds, [=](Bench& b) {
                             if (!*grid) *grid = std::make_unique<SweepGrid>(b);
                             BenchRow row{"cells", text + " cells", "fp32"};
                             const auto count = static_cast<double>(cells);
                             for (std::int64_t i = 0; i < runs_of(b.options, cells); ++i) {
                                 const double taken = (*grid)->seconds(cells);
                                 row.figure("cells", "cells/s").samples.push_back(count / taken);
                                 row.figure("a cell", "ms").samples.push_back(1e3 * taken / count);
                             }
                             compare_with_first(b.rows, row, {"cells"});
                             b.rows.push_back(row);
                         }});
    }
}

}  // namespace xlrm
