#include "xlrm/analysis/analyze.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>

#include "analysis_files.hpp"
#include "parts.hpp"
#include "state_parts.hpp"
#include "transfer_geometry.hpp"
#include "transfer_part.hpp"
#include "xlrm/analysis/results_folder.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {

namespace {

namespace fs = std::filesystem;

//! Counts up when a part's numbers change, so that stored parts are computed anew.
constexpr std::int64_t kNumerics = 1;
constexpr const char* kTransfer = "transfer";

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

//! One analysis of one folder on one rank.
class Analysis {
public:
    Analysis(const AnalyzeOptions& options, fs::path folder)
        : options_(options),
          folder_(std::move(folder)),
          hashes_(folder_ / "hashes.json"),
          results_(read_results(folder_, hashes_)) {
        for (const auto& [base, benchmark] : score_sets(results_.grid)) sets_.emplace_back(base, benchmark);
        for (const GridCell& cell : results_.grid.cells) {
            const std::pair key(cell.base, cell.benchmark);
            if (std::ranges::find(state_sets_, key) == state_sets_.end()) state_sets_.push_back(key);
        }
        states_.resize(state_sets_.size());
    }

    const Results& results() const { return results_; }
    std::size_t set_count() const { return sets_.size(); }
    //! Sets with activations, base models' cells among them.
    std::size_t state_count() const { return state_sets_.size(); }
    const StateSet& states_of(std::size_t set) {
        if (!states_[set]) {
            Statements ignored;
            states_[set] = read_states(results_.grid, state_sets_[set].first, state_sets_[set].second, &ignored);
            if (states_[set]->items.size() < 4) states_[set]->layers.clear();
        }
        return *states_[set];
    }
    FileHashes& hashes() { return hashes_; }

    //! The hash of all that determines a part.
    std::string identity(const std::string& part) {
        Json json = {{"numerics", kNumerics},
                     {"part", part},
                     {"resamples", options_.resamples},
                     {"seed", options_.seed},
                     {"level", options_.level},
                     {"items", options_.items},
                     {"english", options_.english},
                     {"planned", results_.planned},
                     {"targets", results_.grid.targets},
                     {"files", Json::object()}};
        for (const GridSource& source : results_.grid.sources) json["sources"].push_back({source.name, source.single});
        const auto add = [&](const fs::path& file) {
            if (fs::exists(file)) json["files"][file.lexically_relative(folder_).generic_string()] = hashes_.sha256(file);
        };
        for (const GridCell& cell : results_.grid.cells) add(cell.file);
        for (const auto& [key, file] : results_.grid.floors) add(file);
        Sha256 sha;
        sha.add(json.dump());
        return sha.hex();
    }

    //! The tables of one part for one set.
    std::vector<ResultTable> compute(std::size_t set, const Part& part) {
        const ScoreSet& scores = scores_of(set);
        std::vector<ResultTable> tables = part.tables();
        if (scores.targets.empty()) return tables;
        static const Resampled none{ScoreSet{}, {}};
        part.add({scores, part.needs_resampling ? resampled_of(set) : none, options_.english}, tables);
        return tables;
    }

    PartResult transfer() {
        TransferTable table = build_table(results_.grid);
        table.missing = results_.planned - std::ssize(results_.grid.cells);
        return transfer_part(table);
    }

    //! All that there is to state, in a fixed order.
    Statements statements() {
        Statements all = results_.statements;
        for (std::size_t set = 0; set < sets_.size(); ++set) {
            Statements of_set;
            read_scores(results_.grid, sets_[set].base, sets_[set].benchmark, options_.items == "refuse", &of_set);
            all.insert(all.end(), of_set.begin(), of_set.end());
            add_limits(scores_of(set), &all);
        }
        for (const auto& [base, benchmark] : state_sets_) read_states(results_.grid, base, benchmark, &all);
        if (sets_.empty()) all.push_back({"no_scores", "", "no trained model has a cell, so there is nothing to compare"});
        return all;
    }

private:
    struct Set {
        Set(std::string base_name, std::string benchmark_name)
            : base(std::move(base_name)), benchmark(std::move(benchmark_name)) {}
        std::string base, benchmark;
        std::optional<ScoreSet> scores;
        std::optional<Resampled> resampled;
    };

    const ScoreSet& scores_of(std::size_t set) {
        Set& s = sets_[set];
        Statements ignored;
        if (!s.scores) s.scores = read_scores(results_.grid, s.base, s.benchmark, options_.items == "refuse", &ignored);
        return *s.scores;
    }

    const Resampled& resampled_of(std::size_t set) {
        Set& s = sets_[set];
        if (!s.resampled)
            s.resampled.emplace(scores_of(set),
                                ResamplingOptions{options_.resamples, static_cast<std::uint64_t>(options_.seed), options_.level});
        return *s.resampled;
    }

    //! What the grid does not allow to say.
    void add_limits(const ScoreSet& set, Statements* all) const {
        const std::string place = set.base + " " + set.benchmark;
        std::set<std::int64_t> seeds;
        for (const TargetScores& target : set.targets)
            for (const ModelScores& model : target.models) seeds.insert(model.seed);
        if (seeds.size() == 1)
            all->push_back(
                {"one_seed", place,
                 "each model has one seed, so nothing shows how results vary over training runs; intervals are over items "
                 "alone and cannot support that one language is better than another in general"});
        if (set.targets.size() == 1)
            all->push_back({"one_language", place, "there is one target language, so languages cannot be compared"});
        if (set.sources.size() == 1)
            all->push_back({"one_source", place, "there is one source, so reward models cannot be compared"});
        if (std::ranges::find(set.sources, options_.english) == set.sources.end())
            all->push_back({"no_english", place,
                            "no model was trained on " + options_.english + " (--english), so the headline table has no rows"});
    }

    AnalyzeOptions options_;
    fs::path folder_;
    FileHashes hashes_;
    Results results_;
    std::vector<Set> sets_;
    std::vector<std::pair<std::string, std::string>> state_sets_;
    std::vector<std::optional<StateSet>> states_;
};

//! Work for one rank: pieces of parts of one set.
struct Unit {
    std::vector<std::string> parts;  //!< a piece of each
    std::function<std::vector<ResultTable>(std::size_t part)> compute;
};

bool is_in(const std::vector<std::string>& list, const std::string& name) { return std::ranges::find(list, name) != list.end(); }

//! Scores: the parts that share a resampling in one unit, the others alone. Activations: one layer each.
std::vector<Unit> units_of(Analysis& analysis, const std::vector<std::string>& wanted) {
    std::vector<Unit> units;
    for (std::size_t set = 0; set < analysis.set_count(); ++set) {
        std::vector<const Part*> shared;
        for (const Part& part : parts()) {
            if (!is_in(wanted, part.name)) continue;
            if (part.needs_resampling)
                shared.push_back(&part);
            else
                units.push_back({{part.name}, [&analysis, set, &part](std::size_t) { return analysis.compute(set, part); }});
        }
        if (!shared.empty()) {
            Unit unit{{}, [&analysis, set, shared](std::size_t part) { return analysis.compute(set, *shared[part]); }};
            for (const Part* part : shared) unit.parts.push_back(part->name);
            units.push_back(std::move(unit));
        }
    }
    for (std::size_t set = 0; set < analysis.state_count(); ++set) {
        for (const StatePart& part : state_parts()) {
            if (!is_in(wanted, part.name)) continue;
            auto layers = analysis.states_of(set).layers;
            if (part.whole && !layers.empty()) layers = {{"", -1}};
            for (const auto& [capture, layer] : layers) {
                units.push_back({{part.name}, [&analysis, set, &part, capture = capture, layer = layer](std::size_t) {
                                     const OneThread one;
                                     std::vector<ResultTable> tables = part.tables();
                                     part.add({analysis.states_of(set), capture, layer}, tables);
                                     return tables;
                                 }});
            }
        }
    }
    return units;
}

std::vector<ResultTable> empty_tables(const std::string& name) {
    for (const Part& part : parts())
        if (part.name == name) return part.tables();
    for (const StatePart& part : state_parts())
        if (part.name == name) return part.tables();
    return {};
}

//! Collective. The parts that were asked for and not there, their units divided over the ranks; on the root whole, in the order
//! of the units.
std::map<std::string, PartResult> compute_parts(const Communicator& world, Analysis& analysis,
                                                const std::vector<std::string>& wanted) {
    Json mine = Json::array();
    together(world, [&] {
        const std::vector<Unit> units = units_of(analysis, wanted);
        for (std::size_t u = 0; u < units.size(); ++u) {
            if (static_cast<int>(u % static_cast<std::size_t>(world.size())) != world.rank()) continue;
            for (std::size_t part = 0; part < units[u].parts.size(); ++part) {
                require_not_stopped("the tables were computed");
                Json tables = Json::array();
                for (const ResultTable& table : units[u].compute(part)) tables.push_back(to_json(table));
                mine.push_back({{"part", units[u].parts[part]}, {"unit", u}, {"tables", std::move(tables)}});
            }
        }
    });
    std::map<std::pair<std::string, std::size_t>, Json> pieces;
    for (const std::string& text : world.gather_text(mine.dump())) {
        if (!world.root()) break;
        for (const Json& piece : parse_json(text, "tables of a rank"))
            pieces[{piece.at("part"), piece.at("unit")}] = piece.at("tables");
    }
    std::map<std::string, PartResult> results;
    for (const std::string& name : wanted)
        if (name != kTransfer) results[name].tables = empty_tables(name);
    for (const auto& [key, tables] : pieces) {
        PartResult& result = results.at(key.first);
        for (std::size_t t = 0; t < result.tables.size(); ++t)
            for (auto& row : table_from_json(tables.at(t)).rows) result.tables[t].add(std::move(row));
    }
    return results;
}

Json head_of(const AnalyzeOptions& options, const Analysis& analysis) {
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

Stored stored_parts(const AnalyzeOptions& options, Analysis& analysis, const fs::path& folder) {
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

void write_results(const AnalyzeOptions& options, Analysis& analysis, const fs::path& folder,
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
             "what to compute: transfer, accuracy, headline, gaps, additive, seeds, pairs, languages, calibration, baselines; "
             "none: all")
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
    std::optional<Analysis> analysis;
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
        Analysis analysis(options, folder_of(options));
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
        text += "about " + std::to_string(bytes / 1000000 + 50) +
                " MB on a rank, of scores alone; activations are read for the transfer "
                "part's singular-value ratios only, a layer of one model at a time\n";
        for (const Statement& s : analysis.statements()) text += s.code + " " + s.place + ": " + s.text + "\n";
    });
    return text;
}

}  // namespace xlrm
