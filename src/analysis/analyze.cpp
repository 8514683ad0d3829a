#include "xlrm/analysis/analyze.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "analysis_files.hpp"
#include "analysis_units.hpp"
#include "estimator_table.hpp"
#include "folder_analysis.hpp"
#include "parts.hpp"
#include "state_parts.hpp"
#include "transfer_geometry.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

fs::path folder_of(const AnalyzeOptions& options) {
    require(options.words.size() == 1 && !options.words.front().empty(), "xlrm_analyze: give the sweep folder (xlrm_analyze OUT)",
            ExitCode::usage);
    return options.words.front();
}

void check_options(const AnalyzeOptions& options) {
    const auto known = analysis_parts();
    for (const std::string& part : options.parts) {
        if (std::ranges::find(known, part) != known.end()) continue;
        std::string names;
        for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
        fail("--parts: '" + part + "' is not a part (" + names + ")", ExitCode::usage);
    }
    require(options.resamples >= 100 && options.resamples <= 1000000,
            "--resamples must lie between 100 and 1000000: fewer make no interval", ExitCode::usage);
    require(options.level > 0.5 && options.level < 1.0, "--level must lie between 0.5 and 1 (0.95)", ExitCode::usage);
    require(options.seed >= 0, "--seed must not be negative", ExitCode::usage);
}

Json head_of(const AnalyzeOptions& options, const FolderAnalysis& analysis) {
    const Grid& grid = analysis.results().grid;
    const auto names = [](const auto& list, const auto& get) {
        Json out = Json::array();
        for (const auto& entry : list)
            if (const Json name = get(entry); std::ranges::find(out, name) == out.end()) out.push_back(name);
        return out;
    };
    return {{"schema", "XLRM-analysis-summary-1"},
            {"schema_version", 1},
            {"version", version()},
            {"options",
             {{"resamples", options.resamples},
              {"seed", options.seed},
              {"level", options.level},
              {"items", options.items},
              {"english", options.english}}},
            {"cells", {{"planned", analysis.results().planned}, {"used", grid.cells.size()}}},
            {"bases", names(grid.cells, [](const GridCell& cell) { return cell.base; })},
            {"benchmarks", names(grid.cells, [](const GridCell& cell) { return cell.benchmark; })},
            {"sources", names(grid.sources, [](const GridSource& source) { return source.name; })},
            {"targets", grid.targets}};
}

//! Which parts of those asked for are not there, and the stored ones.
struct Stored {
    std::map<std::string, PartResult> parts;
    std::vector<std::string> absent;  //!< asked for
};

Stored stored_parts(const AnalyzeOptions& options, FolderAnalysis& analysis, const fs::path& folder) {
    Stored stored;
    for (const std::string& name : analysis_parts()) {
        bool found = false;
        PartResult part = read_part(folder / (name + ".json"), analysis.identity(name), &found);
        const bool asked = options.parts.empty() || std::ranges::find(options.parts, name) != options.parts.end();
        if (found)
            stored.parts[name] = std::move(part);
        else if (asked)
            stored.absent.push_back(name);
    }
    return stored;
}

void write_results(const AnalyzeOptions& options, FolderAnalysis& analysis, const fs::path& folder,
                   const std::map<std::string, PartResult>& done) {
    const Statements statements = analysis.statements();
    PartResult all;
    std::map<std::string, bool> state;
    for (const std::string& name : analysis_parts()) {
        const auto part = done.find(name);
        state[name] = part != done.end();
        if (part == done.end()) continue;
        all.tables.insert(all.tables.end(), part->second.tables.begin(), part->second.tables.end());
        all.files.insert(part->second.files.begin(), part->second.files.end());
    }
    if (const auto alignment = done.find("alignment"), gaps = done.find("gaps"); alignment != done.end() && gaps != done.end())
        all.tables.push_back(transfer_geometry(alignment->second.tables.front(), gaps->second.tables.front()));
    all.tables.push_back(estimator_table());
    write_tables(folder, all);
    const Json summary = summary_json(head_of(options, analysis), statements, state, all.tables);
    write_file_atomic(folder / "summary.json", summary.dump(1) + "\n");
    for (const ResultTable& table : all.tables)
        if (table.name == "headline") std::fputs((format_markdown(table) + "\n").c_str(), stdout);
    for (const Statement& s : statements)
        std::printf("%s%s%s: %s\n", s.code.c_str(), s.place.empty() ? "" : " ", s.place.c_str(), s.text.c_str());
    std::printf("Analysis: %s\n", (folder / "summary.json").string().c_str());
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (const Json& word : parse_json(text, "parts of the root")) words.push_back(word);
    return words;
}

}  // namespace

void describe(Options& options, AnalyzeOptions& analysis) {
    options.positional(&analysis.words, "OUT, the folder of a sweep")
        .section("analyze")
        .add("parts", &analysis.parts, "NAME,…",
             "what to compute: transfer, accuracy, headline, gaps, additive, seeds, pairs, languages, calibration, baselines; of "
             "activations ratios, shift, alignment, geometry, lens, layer_pairs, similarity, noise_floor, subspace, preferences, "
             "probes; none: all")
        .add("resamples", &analysis.resamples, "N",
             "resamples of the cluster bootstrap; give 10000 where a bound lies near a value that matters")
        .add("seed", &analysis.seed, "N", "of the resamples; another one shows how far bounds depend on chance")
        .add("level", &analysis.level, "SHARE", "of the intervals")
        .add_choice(
            "items", &analysis.items, {"intersect", "refuse"},
            "where cells of one target have different items: use those that all have, and say how many are left out; or end "
            "with an error")
        .add("english", &analysis.english, "SOURCE", "the source that the headline compares with each target's own model");
}

std::vector<std::string> analysis_parts() {
    std::vector<std::string> names = {kTransfer};
    for (const Part& part : parts()) names.push_back(part.name);
    for (const StatePart& part : state_parts()) names.push_back(part.name);
    return names;
}

void run_analyze(const Communicator& world, const AnalyzeOptions& options) {
    std::optional<OutputLock> lock;
    on_root(world, [&] {
        check_options(options);
        const fs::path folder = folder_of(options);
        require(fs::is_directory(folder), folder.string() + ": no such folder; give the folder that xlrm_sweep wrote",
                ExitCode::io);
        lock.emplace(folder / "analysis", OutputKind::filled, stop_requested);
        FileHashes hashes(folder / "hashes.json");
        read_results(folder, hashes);  // the other ranks find every file hashed
        hashes.save();
    });
    std::optional<FolderAnalysis> analysis;
    together(world, [&] { analysis.emplace(options, folder_of(options)); });
    const fs::path folder = folder_of(options) / "analysis";
    Stored stored;
    on_root(world, [&] { stored = stored_parts(options, *analysis, folder / "parts"); });
    const std::vector<std::string> wanted = words_of(world.broadcast(Json(stored.absent).dump()));
    std::map<std::string, PartResult> computed = compute_parts(world, *analysis, wanted);
    on_root(world, [&] {
        if (std::ranges::find(wanted, kTransfer) != wanted.end()) computed[kTransfer] = analysis->transfer();
        lock->require_held();
        for (auto& [name, part] : computed) {
            write_part(folder / "parts" / (name + ".json"), analysis->identity(name), part);
            stored.parts[name] = std::move(part);
        }
        write_results(options, *analysis, folder, stored.parts);
        analysis->hashes().save();
    });
}

std::string analysis_report(const Communicator& world, const AnalyzeOptions& options) {
    std::string text;
    on_root(world, [&] {
        check_options(options);
        FolderAnalysis analysis(options, folder_of(options));
        const Stored stored = stored_parts(options, analysis, folder_of(options) / "analysis" / "parts");
        const auto cells = std::ssize(analysis.results().grid.cells);
        text = std::to_string(cells) + " of " + std::to_string(analysis.results().planned) + " cells, " +
               std::to_string(analysis.set_count()) + " sets (base and benchmark)\n";
        for (const std::string& name : analysis_parts()) {
            const bool absent = std::ranges::find(stored.absent, name) != stored.absent.end();
            text += "  " + name + ": " + (stored.parts.contains(name) ? "done" : absent ? "to compute" : "not asked for") + "\n";
        }
        // Each accuracy (cell and category) is kept for every resample and without every cluster.
        std::int64_t clusters = 0;
        for (const GridCell& cell : analysis.results().grid.cells)
            clusters = std::max(clusters, std::ssize(read_cell_scores(cell.file, &analysis.hashes()).id));
        const auto bytes = 16 * 8 * cells * (options.resamples + clusters);
        text +=
            "about " + std::to_string(bytes / 1000000 + 50) +
            " MB on a rank, of scores alone; activations are read a layer of one model at a time, and layer_pairs keeps up to "
            "1,000 MB more\n";
        for (const Statement& s : analysis.statements()) text += s.code + " " + s.place + ": " + s.text + "\n";
    });
    return text;
}

}  // namespace xlrm
