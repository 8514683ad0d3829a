#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "xlrm/analysis/import_results.hpp"
#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

struct AnalyzeOptions {
    std::vector<std::string> words;  //!< OUT
    std::vector<std::string> parts;  //!< none: all
    std::int64_t resamples = 2000;
    std::int64_t seed = 1;
    double level = 0.95;
    std::string items = "intersect";  //!< "refuse": an Error where cells of one target have different items
    std::string english = "en";       //!< the language whose models are compared with the targets' own
    ImportOptions imported;           //!< what the program reads first
};
//! Counts up when numbers change, so that stored parts are computed anew.
inline constexpr std::int64_t kAnalysisNumerics = 2;

//! The program's options: OUT, and the section `analyze`.
void describe(Options& options, AnalyzeOptions& analysis);
//! That section alone.
void describe_analysis(Options& options, AnalyzeOptions& analysis);
//! Throws Error(usage) naming the option.
void check(const AnalyzeOptions& options);
//! The options that numbers depend on, as summary.json has them.
Json content_of(const AnalyzeOptions& options);

//! Names of the parts, in the order of the report.
std::vector<std::string> analysis_parts();

//! Collective. Reads the cells of a sweep folder and writes OUT/analysis: analysis.h5 (analysis_file.hpp), summary.json, and for
//! each table <name>.csv, .md and .tex. The same bytes on any number of ranks. A part whose inputs and options are those of an
//! earlier run is read from OUT/analysis/parts; parts that were not asked for are kept where they are still right. Each piece of
//! a part (one layer, one benchmark) is kept in parts/unfinished until the part is whole, so an analysis that was ended goes on.
//! `stop` reads true once a stop request has reached the rank; then all ranks throw Error(stopped). `may_write`, on the root, is
//! called before what is there is replaced. Throws Error for a folder without cells. Returns on the root the headline and every
//! statement, to be printed. Takes no lock.
std::string analyze_folder(const Communicator& ranks, const AnalyzeOptions& options, const std::filesystem::path& folder,
                           const std::function<bool()>& stop, const std::function<void()>& may_write = {});

//! Collective. The program: import_results and analyze_folder under a lock of OUT/analysis, their texts printed.
void run_analyze(const Communicator& world, const AnalyzeOptions& options);

//! What would be done: cells, parts, those that are done, time and memory. Collective; the text on the root.
std::string analysis_report(const Communicator& world, const AnalyzeOptions& options);

}  // namespace xlrm
