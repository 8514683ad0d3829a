#include "folder_analysis.hpp"

#include <algorithm>
#include <set>

#include "transfer_part.hpp"
#include "xlrm/core/sha256.hpp"

namespace xlrm {

namespace fs = std::filesystem;

FolderAnalysis::FolderAnalysis(const AnalyzeOptions& options, fs::path folder)
    : options_(options), folder_(std::move(folder)), hashes_(folder_ / "hashes.json"), results_(read_results(folder_, hashes_)) {
    for (const auto& [base, benchmark] : score_sets(results_.grid)) sets_.push_back({base, benchmark});
    for (const GridCell& cell : results_.grid.cells) {
        const std::pair key(cell.base, cell.benchmark);
        if (std::ranges::find(state_sets_, key) == state_sets_.end()) state_sets_.push_back(key);
    }
    states_.resize(state_sets_.size());
}

const StateSet& FolderAnalysis::states_of(std::size_t set) {
    if (!states_[set]) {
        Statements ignored;
        states_[set] = read_states(results_.grid, state_sets_[set].first, state_sets_[set].second, &ignored);
        if (states_[set]->items.size() < 4) states_[set]->layers.clear();
        states_[set]->kept = kept_;
    }
    return *states_[set];
}

Json FolderAnalysis::files() {
    Json files = Json::object();
    const auto add = [&](const fs::path& file) {
        if (fs::exists(file)) files[file.lexically_relative(folder_).generic_string()] = hashes_.sha256(file);
    };
    for (const GridCell& cell : results_.grid.cells) add(cell.file);
    for (const GridCell& cell : results_.grid.noise_floor) add(cell.file);
    for (const auto& [key, file] : results_.grid.floors) add(file);
    return files;
}

std::string FolderAnalysis::identity(const std::string& part) {
    if (inputs_.empty()) {
        inputs_ = {{"numerics", kAnalysisNumerics},
                   {"options", content_of(options_)},
                   {"planned", results_.planned},
                   {"files", files()},
                   {"targets", results_.grid.targets}};
        for (const GridSource& source : results_.grid.sources) inputs_["sources"].push_back({source.name, source.single});
    }
    return sha256(part + " " + inputs_.dump());
}

std::vector<ResultTable> FolderAnalysis::compute(std::size_t set, const Part& part) {
    const ScoreSet& scores = scores_of(set);
    std::vector<ResultTable> tables = part.tables();
    if (scores.targets.empty()) return tables;
    static const Resampled none{ScoreSet{}, {}};
    part.add({scores, part.needs_resampling ? resampled_of(set) : none, options_.english}, tables);
    return tables;
}

PartResult FolderAnalysis::transfer() {
    TransferTable table = build_table(results_.grid);
    table.missing = results_.planned - std::ssize(results_.grid.cells);
    return transfer_part(table);
}

Statements FolderAnalysis::statements() {
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

const ScoreSet& FolderAnalysis::scores_of(std::size_t set) {
    Set& s = sets_[set];
    Statements ignored;
    if (!s.scores) s.scores = read_scores(results_.grid, s.base, s.benchmark, options_.items == "refuse", &ignored);
    return *s.scores;
}

const Resampled& FolderAnalysis::resampled_of(std::size_t set) {
    Set& s = sets_[set];
    if (!s.resampled)
        s.resampled.emplace(scores_of(set),
                            ResamplingOptions{options_.resamples, static_cast<std::uint64_t>(options_.seed), options_.level});
    return *s.resampled;
}

//! What the grid does not allow to say.
void FolderAnalysis::add_limits(const ScoreSet& set, Statements* all) const {
    if (set.given() || set.sources.empty()) return;
    const std::string place = set.base + " " + set.benchmark;
    std::set<std::int64_t> seeds;
    for (const TargetScores& target : set.targets)
        for (const ModelScores& model : target.models) seeds.insert(model.seed);
    if (seeds.size() == 1)
        all->push_back({"one_seed", place,
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

}  // namespace xlrm
