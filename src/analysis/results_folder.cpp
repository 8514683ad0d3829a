#include "xlrm/analysis/results_folder.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "xlrm/analysis/import_results.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/language.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! "base.en.s1"; the base model's own cells are of "base".
std::string model_name(const std::string& base, const std::string& source, std::int64_t seed) {
    return source.empty() ? base : base + "." + source + ".s" + std::to_string(seed);
}

fs::path cell_path(const fs::path& folder, const GridCell& cell) {
    return folder / "cells" / cell.model / (cell.benchmark + "." + cell.target + ".h5");
}

Grid planned_grid(const fs::path& folder) {
    const fs::path path = folder / "plan.json";
    const Json plan = read_json(path);
    const std::string schema = plan.value("schema", "");
    require(schema == "XLRM-plan-1" || schema == "XLRM-plan-2",
            path.string() + ": not a plan of schema XLRM-plan-1 or -2, so it says no grid");
    Grid grid;
    for (const Json& source : plan.at("sources")) grid.sources.push_back({source.at("name"), source.at("langs").size() == 1});
    grid.targets = plan.at("targets").get<std::vector<std::string>>();
    for (const Json& task : plan.at("tasks")) {
        if (task.at("kind") == "floor") {
            const std::string source = task.at("source"), benchmark = task.at("benchmark");
            grid.floors[{source, benchmark}] = folder / "floors" / (source + "." + benchmark + ".json");
        }
        if (task.at("kind") != "evaluate" && task.at("kind") != "judge") continue;
        GridCell cell{task.at("base"), task.at("source"), "", task.at("benchmark"), task.at("target"), task.at("seed"), {}};
        cell.model = model_name(cell.base, cell.source, cell.seed);
        if (task.value("given", false)) cell.source = kGivenModel;
        const bool floor = task.value("noise_floor", false);
        if (floor) cell.model += kNoiseFloor;
        cell.file = cell_path(folder, cell);
        (floor ? grid.noise_floor : grid.cells).push_back(std::move(cell));
    }
    return grid;
}

//! The cell in `file` by its own attributes and its name, "<benchmark>.<target>.h5".
GridCell cell_of(const fs::path& file) {
    const Json attributes = read_cell_attributes(file);
    GridCell cell;
    cell.model = file.parent_path().filename().string();
    cell.source = attributes.at("source_lang");
    cell.target = attributes.at("target_lang");
    cell.seed = attributes.at("seed");
    const std::string suffix = "." + cell.source + ".s" + std::to_string(cell.seed);
    const bool trained = !cell.source.empty() && cell.model.ends_with(suffix);
    cell.base = trained ? cell.model.substr(0, cell.model.size() - suffix.size()) : cell.model;
    if (cell.source.empty() && attributes.at("head") != "none") cell.source = kGivenModel;
    cell.benchmark = file.stem().stem().string();
    cell.file = file;
    return cell;
}

//! Moves the cells of a base model's noise floor out of the grid's cells.
void part_noise_floor(Grid& grid) {
    std::set<std::string> bases;
    for (const GridCell& cell : grid.cells) bases.insert(cell.base);
    std::vector<GridCell> cells;
    for (GridCell& cell : grid.cells) {
        const std::string base = cell.base.ends_with(kNoiseFloor) ? cell.base.substr(0, cell.base.rfind('.')) : "";
        if (cell.source.empty() && bases.contains(base)) {
            cell.base = base;
            grid.noise_floor.push_back(std::move(cell));
        } else {
            cells.push_back(std::move(cell));
        }
    }
    grid.cells = std::move(cells);
}

//! Cells below a folder, in the order of their names.
std::vector<fs::path> cell_files(const fs::path& folder) {
    std::vector<fs::path> files;
    if (!fs::is_directory(folder)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".h5" && !entry.path().filename().string().starts_with('.'))
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

//! Every model on every benchmark and target that any cell has.
Grid found_grid(const fs::path& folder) {
    Grid grid;
    std::set<std::pair<std::string, std::string>> columns;  // benchmark, target
    std::set<std::string> sources, targets, benchmarks;
    std::vector<GridCell> models;
    for (const fs::path& file : cell_files(folder / "cells")) {
        const GridCell cell = cell_of(file);
        columns.emplace(cell.benchmark, cell.target);
        targets.insert(cell.target);
        benchmarks.insert(cell.benchmark);
        if (!cell.source.empty() && cell.source != kGivenModel) sources.insert(cell.source);
        if (models.empty() || models.back().model != cell.model) models.push_back(cell);
    }
    for (const std::string& source : sources) grid.sources.push_back({source, targets.contains(source)});
    grid.targets.assign(targets.begin(), targets.end());
    for (const GridCell& model : models) {
        for (const auto& [benchmark, target] : columns) {
            GridCell cell = model;
            cell.benchmark = benchmark;
            cell.target = target;
            cell.file = cell_path(folder, cell);
            grid.cells.push_back(std::move(cell));
        }
    }
    part_noise_floor(grid);
    for (const std::string& source : sources) {
        for (const std::string& benchmark : benchmarks) {
            const fs::path floor = folder / "floors" / (source + "." + benchmark + ".json");
            if (fs::exists(floor)) grid.floors[{source, benchmark}] = floor;
        }
    }
    return grid;
}

//! Adds the cells that were imported, and what sources and targets they bring.
void add_imported(const fs::path& folder, Grid* grid) {
    std::set<std::string> own;
    for (const GridCell& cell : grid->cells) own.insert(cell.model);
    for (const fs::path& file : cell_files(folder / kImported)) {
        GridCell cell = cell_of(file);
        if (own.contains(cell.model))
            fail(file.string() + ": a model of the sweep has the name " + cell.model +
                 " too, so their rows would be one; move the folder away, and import it under another name (MODEL=FILE)");
        const bool trained = !cell.source.empty() && cell.source != kGivenModel;
        const auto same = [&](const GridSource& source) { return source.name == cell.source; };
        if (trained && std::ranges::none_of(grid->sources, same))
            grid->sources.push_back({cell.source, is_known_language(cell.source)});
        if (std::ranges::find(grid->targets, cell.target) == grid->targets.end()) grid->targets.push_back(cell.target);
        grid->cells.push_back(std::move(cell));
    }
}

bool is_imported(const GridCell& cell) { return cell.file.parent_path().parent_path().filename() == kImported; }

bool has_verdicts_alone(const GridCell& cell) {
    return read_cell_attributes(cell.file).value("xlrm_provenance", Json::object()).value("verdicts", false);
}

//! Why a cell cannot be used, if so.
std::optional<Statement> problem_of(const GridCell& cell, FileHashes& hashes) {
    const std::string place = cell.model + " " + cell.benchmark + "." + cell.target;
    if (!fs::exists(cell.file))
        return Statement{"missing_cell", place, "the cell is missing, so what compares it is undefined; run the sweep again"};
    if (!cell_verifies(cell.file, &hashes))
        return Statement{
            "damaged_cell", place,
            "the cell differs from its .sha256 (or has none), so it counts as missing; remove it and run the sweep again"};
    if (!cell.source.empty() && cell.source != kGivenModel && !read_cell_scores(cell.file, &hashes).has_scores)
        return Statement{"no_scores", place,
                         "the cell of a trained model has no scores, so it counts as missing; evaluate it again"};
    return {};
}

}  // namespace

Results read_results(const fs::path& folder, FileHashes& hashes) {
    Results results;
    results.grid = fs::exists(folder / "plan.json") ? planned_grid(folder) : found_grid(folder);
    add_imported(folder, &results.grid);
    results.grid.hashes = &hashes;
    results.planned = std::ssize(results.grid.cells);
    for (const GridCell& cell : results.grid.cells) {
        const bool foreign = is_imported(cell) || cell.source == kGivenModel;
        if (foreign && fs::exists(cell.file) && cell_verifies(cell.file, &hashes) && has_verdicts_alone(cell))
            results.statements.push_back({"verdicts_alone", cell.model + " " + cell.benchmark + "." + cell.target,
                                          std::string(is_imported(cell) ? "the file that was imported" : "the judge") +
                                              " says who won and by how much not, so margins are 1, 0 or −1: "
                                              "what is made of margins (calibration, correlations) says nothing of this model"});
    }
    std::vector<GridCell> usable;
    for (GridCell& cell : results.grid.cells) {
        if (const auto problem = problem_of(cell, hashes))
            results.statements.push_back(*problem);
        else
            usable.push_back(std::move(cell));
    }
    results.grid.cells = std::move(usable);
    std::erase_if(results.grid.noise_floor, [&](const GridCell& cell) {
        const auto problem = problem_of(cell, hashes);
        if (problem) results.statements.push_back(*problem);
        return problem.has_value();
    });
    require(!results.grid.cells.empty(),
            folder.string() +
                ": no cell that verifies lies below cells/ or imported/, so there is nothing to analyse; give the folder that "
                "xlrm_sweep wrote");
    return results;
}

}  // namespace xlrm
