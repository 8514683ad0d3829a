#include "xlrm/sweep/tables.hpp"

#include "xlrm/core/file.hpp"
#include "xlrm/store/index.hpp"
#include "xlrm/sweep/compare.hpp"

namespace xlrm {

Grid grid_of(const SweepFolder& folder, const Plan& plan) {
    Grid grid;
    for (const Source& source : plan.sources) grid.sources.push_back({source.name, source.langs.size() == 1});
    grid.targets = plan.targets;
    for (const TaskPointer& task : plan.tasks) task->add_to(grid, folder);
    grid.hashes = &folder.hashes();
    return grid;
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
