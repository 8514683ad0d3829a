#include "xlrm/sweep/tables.hpp"

#include "xlrm/core/file.hpp"
#include "xlrm/store/index.hpp"
#include "xlrm/sweep/compare.hpp"

namespace xlrm {
namespace {

// Rows of `langs` (as PrepareOptions::langs) in part `part` ("" = all) of the files.
PrepareOptions rows_of(const SweepConfig& config, const std::vector<std::string>& files, const std::vector<std::string>& langs,
                       const std::string& part) {
    PrepareOptions options;
    options.inputs = config.data_paths(files);
    options.langs = langs;
    options.forms = config.forms;
    options.split = config.split;
    options.part = config.split.empty() ? "" : part;
    return options;
}

}  // namespace

Grid grid_of(const SweepFolder& folder, const Plan& plan) {
    Grid grid;
    for (const Source& source : plan.sources) grid.sources.push_back({source.name, source.langs.size() == 1});
    grid.targets = plan.targets;
    for (const Task& task : plan.tasks) {
        if (task.kind == TaskKind::floor) grid.floors[{task.source, task.benchmark}] = folder.floor(task);
        if (task.kind != TaskKind::evaluate) continue;
        grid.cells.push_back({task.base, task.source, task.model(), task.benchmark, task.target, task.seed, folder.cell(task)});
    }
    grid.hashes = &folder.hashes();
    return grid;
}

FloorRequest floor_request(const SweepConfig& config, const Source& source, const std::string& benchmark) {
    FloorRequest request{source.name, benchmark, rows_of(config, config.train_files, source.langs, "train"), {}};
    for (const std::string& target : config.target_list()) {
        request.targets.push_back(
            {target, rows_of(config, config.benchmarks.at(benchmark), {config.target_language(target)}, "test")});
    }
    return request;
}

TransferTable write_tables(const SweepFolder& folder, const Plan& plan) {
    require_same_results(folder, plan);
    TransferTable table = build_table(grid_of(folder, plan));
    write_file_atomic(folder.table("txt"), format_text(table));
    write_file_atomic(folder.table("md"), format_markdown(table));
    write_file_atomic(folder.table("csv"), format_csv(table));
    write_index(folder.index(), collect_index(folder.root(), nullptr, &folder.hashes()));
    folder.hashes().save();
    return table;
}

}  // namespace xlrm
