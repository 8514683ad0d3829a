#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis_files.hpp"
#include "parts.hpp"
#include "state_set.hpp"
#include "xlrm/analysis/analyze.hpp"
#include "xlrm/analysis/results_folder.hpp"

namespace xlrm {

//! The part that the sweep's own table makes (transfer_part.hpp).
inline constexpr const char* kTransfer = "transfer";

//! One analysis of one folder on one rank: what is read is kept. Neither copied nor moved, since the grid points to its hashes.
class FolderAnalysis {
public:
    //! Throws Error for a folder without cells (read_results).
    FolderAnalysis(const AnalyzeOptions& options, std::filesystem::path folder);
    FolderAnalysis(const FolderAnalysis&) = delete;
    FolderAnalysis& operator=(const FolderAnalysis&) = delete;

    const Results& results() const { return results_; }
    FileHashes& hashes() { return hashes_; }
    //! Bases and benchmarks with trained models' cells.
    std::size_t set_count() const { return sets_.size(); }
    //! Bases and benchmarks with any cell, base models' among them.
    std::size_t state_count() const { return state_sets_.size(); }
    //! Without layers where there are fewer than four parallel items.
    const StateSet& states_of(std::size_t set);

    //! Hashes of the cells and floors that are read: {"cells/base.en.s1/facts.ko.h5": SHA-256}.
    Json files();
    //! The hash of all that determines a part.
    std::string identity(const std::string& part);
    //! The tables of one part for one set.
    std::vector<ResultTable> compute(std::size_t set, const Part& part);
    PartResult transfer();
    //! All that there is to state, in a fixed order.
    Statements statements();

private:
    struct Set {
        std::string base, benchmark;
        std::optional<ScoreSet> scores = {};
        std::optional<Resampled> resampled = {};
    };
    const ScoreSet& scores_of(std::size_t set);
    const Resampled& resampled_of(std::size_t set);
    void add_limits(const ScoreSet& set, Statements* all) const;

    AnalyzeOptions options_;
    std::filesystem::path folder_;
    FileHashes hashes_;
    Results results_;
    Json inputs_;  //!< what all identities have in common
    std::vector<Set> sets_;
    std::vector<std::pair<std::string, std::string>> state_sets_;
    std::vector<std::optional<StateSet>> states_;
    std::shared_ptr<KeptStates> kept_ = std::make_shared<KeptStates>();
};

}  // namespace xlrm
