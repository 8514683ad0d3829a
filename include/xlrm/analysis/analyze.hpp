#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
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
};
void describe(Options& options, AnalyzeOptions& analysis);

//! Names of the parts, in the order of the report.
std::vector<std::string> analysis_parts();

//! Collective. Reads the cells of a sweep folder and writes OUT/analysis: analysis.h5 (analysis_file.hpp), summary.json, and for
//! each table <name>.csv, .md and .tex. The same bytes on any number of ranks. A part whose inputs and options are those of an
//! earlier run is read from OUT/analysis/parts; parts that were not asked for are kept where they are still right. Prints the
//! headline and every statement on the root. Throws Error for a folder without cells.
void run_analyze(const Communicator& world, const AnalyzeOptions& options);

//! What would be done: cells, parts, those that are done, time and memory. Collective; the text on the root.
std::string analysis_report(const Communicator& world, const AnalyzeOptions& options);

}  // namespace xlrm
