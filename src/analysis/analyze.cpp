#include "xlrm/analysis/analyze.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "analysis_files.hpp"
#include "analysis_units.hpp"
#include "estimator_table.hpp"
#include "folder_analysis.hpp"
#include "parts.hpp"
#include "state_cost.hpp"
#include "state_parts.hpp"
#include "transfer_geometry.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

fs::path folder_of(const AnalyzeOptions& options) {
    require(options.words.size() == 1 && !options.words.front().empty(), "xlrm_analyze: give the sweep folder (xlrm_analyze OUT)",
            ExitCode::usage);
    return options.words.front();
}

Json head_of(const AnalyzeOptions& options, FolderAnalysis& analysis) {
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
            {"numerics", kAnalysisNumerics},
            {"options", content_of(options)},
            {"files", analysis.files()},
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

//! Writes tables and summary; returns what there is to print.
std::string write_results(const AnalyzeOptions& options, FolderAnalysis& analysis, const fs::path& folder,
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
    std::string text;
    for (const ResultTable& table : all.tables)
        if (table.name == "headline") text += format_markdown(table) + "\n";
    for (const Statement& s : statements) text += s.code + (s.place.empty() ? "" : " ") + s.place + ": " + s.text + "\n";
    return text + "Analysis: " + (folder / "summary.json").string() + "\n";
}

void remove_leftovers(const fs::path& folder) {
    for (const fs::path& place : {folder, folder / "parts", folder / "parts" / kUnfinished})
        if (fs::is_directory(place)) remove_stale_temporaries(place);
}

//! Of a part that reads activations, over all sets; the memory is that of the largest.
std::optional<StateCost> cost_of(FolderAnalysis& analysis, const std::string& name) {
    if (std::ranges::find(state_parts(), name, &StatePart::name) == state_parts().end()) return {};
    StateCost all;
    for (std::size_t set = 0; set < analysis.state_count(); ++set) {
        const StateCost cost = state_cost(analysis.states_of(set), name);
        all.operations += cost.operations;
        all.bytes = std::max(all.bytes, cost.bytes);
    }
    return all;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (const Json& word : parse_json(text, "parts of the root")) words.push_back(word);
    return words;
}

}  // namespace

void describe(Options& options, AnalyzeOptions& analysis) {
    options.positional(&analysis.words, "OUT, the folder of a sweep");
    describe_analysis(options, analysis);
    options
        .add("import", &analysis.imported.files, "FILE|MODEL=FILE|MODEL@LANG=FILE,…",
             "first read these results of other tools into OUT/imported, where they are analysed with the others: scores of "
             "RewardBench and M-RewardBench (.json, .jsonl), hidden states (.npy, .h5)")
        .add("import-benchmark", &analysis.imported.benchmark, "NAME",
             "what they are results of, by the name that OUT's own cells have [rewardbench, rewardbench2, … by their subsets, or "
             "imported]");
}

void describe_analysis(Options& options, AnalyzeOptions& analysis) {
    options.section("analyze")
        .add("parts", &analysis.parts, "NAME,…", "what to compute: " + joined(analysis_parts()) + "; none: all")
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

void check(const AnalyzeOptions& options) {
    const auto known = analysis_parts();
    for (const std::string& part : options.parts) {
        if (std::ranges::find(known, part) != known.end()) continue;
        fail("--parts: '" + part + "' is not a part (" + joined(known) + ")", ExitCode::usage);
    }
    require(options.resamples >= 100 && options.resamples <= 1000000,
            "--resamples must lie between 100 and 1000000: fewer make no interval", ExitCode::usage);
    require(options.level > 0.5 && options.level < 1.0, "--level must lie between 0.5 and 1 (0.95)", ExitCode::usage);
    require(options.seed >= 0, "--seed must not be negative", ExitCode::usage);
}

Json content_of(const AnalyzeOptions& options) {
    return {{"resamples", options.resamples},
            {"seed", options.seed},
            {"level", options.level},
            {"items", options.items},
            {"english", options.english}};
}

std::vector<std::string> analysis_parts() {
    std::vector<std::string> names = {kTransfer};
    for (const Part& part : parts()) names.push_back(part.name);
    for (const StatePart& part : state_parts()) names.push_back(part.name);
    return names;
}

std::string analyze_folder(const Communicator& ranks, const AnalyzeOptions& options, const fs::path& folder,
                           const std::function<bool()>& stop, const std::function<void()>& may_write) {
    const fs::path place = folder / "analysis";
    on_root(ranks, [&] {
        const StageScope scope("hashes");
        FileHashes hashes(folder / "hashes.json");
        read_results(folder, hashes);  // the other ranks find every file hashed
        hashes.save();
        remove_leftovers(place);
    });
    std::optional<FolderAnalysis> analysis;
    together(ranks, [&] {
        const StageScope scope("read cells");
        analysis.emplace(options, folder);
    });
    Stored stored;
    on_root(ranks, [&] { stored = stored_parts(options, *analysis, place / "parts"); });
    const std::vector<std::string> wanted = words_of(ranks.broadcast(Json(stored.absent).dump()));
    std::map<std::string, PartResult> computed = compute_parts(ranks, *analysis, wanted, place / "parts" / kUnfinished, stop);
    std::string text;
    on_root(ranks, [&] {
        const StageScope scope("write");
        if (std::ranges::find(wanted, kTransfer) != wanted.end()) computed[kTransfer] = analysis->transfer();
        if (may_write) may_write();
        for (auto& [name, part] : computed) {
            write_part(place / "parts" / (name + ".json"), analysis->identity(name), part);
            stored.parts[name] = std::move(part);
        }
        text = write_results(options, *analysis, place, stored.parts);
        fs::remove_all(place / "parts" / kUnfinished);
        analysis->hashes().save();
    });
    return text;
}

void run_analyze(const Communicator& world, const AnalyzeOptions& options) {
    std::optional<OutputLock> lock;
    on_root(world, [&] {
        check(options);
        const fs::path folder = folder_of(options);
        if (options.imported.files.empty())
            require(fs::is_directory(folder), folder.string() + ": no such folder; give the folder that xlrm_sweep wrote",
                    ExitCode::io);
        lock.emplace(folder / "analysis", OutputKind::filled, stop_requested);
        for (const std::string& line : import_results(options.imported, folder, true)) std::printf("imported %s\n", line.c_str());
    });
    const std::string text = analyze_folder(world, options, folder_of(options), stop_requested, [&] { lock->require_held(); });
    if (world.root()) std::fputs(text.c_str(), stdout);
}

std::string analysis_report(const Communicator& world, const AnalyzeOptions& options) {
    std::string text;
    on_root(world, [&] {
        check(options);
        for (const std::string& line : import_results(options.imported, folder_of(options), false))
            text += "would import " + line + "\n";
        if (!text.empty()) return;  // what the analysis would be of is not there yet
        FolderAnalysis analysis(options, folder_of(options));
        const Stored stored = stored_parts(options, analysis, folder_of(options) / "analysis" / "parts");
        const auto cells = std::ssize(analysis.results().grid.cells);
        text = std::to_string(cells) + " of " + std::to_string(analysis.results().planned) + " cells, " +
               std::to_string(analysis.set_count()) + " sets (base and benchmark)\n";
        for (const std::string& name : analysis_parts()) {
            const bool absent = std::ranges::find(stored.absent, name) != stored.absent.end();
            text += "  " + name + ": " + (stored.parts.contains(name) ? "done" : absent ? "to compute" : "not asked for");
            if (const auto cost = absent ? cost_of(analysis, name) : std::nullopt) text += ", " + text_of(*cost);
            text += "\n";
        }
        // Each accuracy (cell and category) is kept for every resample and without every cluster.
        std::int64_t clusters = 0;
        for (const GridCell& cell : analysis.results().grid.cells)
            clusters = std::max(clusters, std::ssize(read_cell_scores(cell.file, &analysis.hashes()).id));
        const auto bytes = 16 * 8 * cells * (options.resamples + clusters);
        text += "about " + std::to_string(bytes / 1000000 + 50) + " MB on a rank, of scores alone\n";
        for (const Statement& s : analysis.statements()) text += s.code + " " + s.place + ": " + s.text + "\n";
    });
    return text;
}

}  // namespace xlrm
