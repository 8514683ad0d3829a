#pragma once

#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/eval/options.hpp"

namespace xlrm {

//! What xlrm_evaluate is asked for.
struct EvaluateJob {
    std::string model, output;
    std::string reward = "head";  //!< head | implicit (of a policy)
    std::vector<std::string> data, langs;
    std::string benchmark = "auto";  //!< whose rule is told: auto (by its subset names) or one of benchmark_names()
    std::string ties = "auto";       //!< auto (the benchmark's own) | loss | half | shared
    std::string export_as = "none";  //!< rewardbench: its result files, in rewardbench/ beside the cell
    std::string export_name;         //!< organisation/model in them; default xlrm/<model folder>
    std::string score_name;          //!< of samples, for their `scores`; default <model folder>
    EvaluateOptions evaluate;
};
void describe(Options& options, EvaluateJob& job);

//! Throws Error(usage) for an option that was given though it changes nothing with the others as they are.
void check_given(const Options& options, const EvaluateJob& job);

//! Collective. Evaluates and writes the cell (several languages: all rows in one cell, `lang` told row by row). Prints accuracy
//! by language with its Wilson interval. Rows of one answer each (samples.jsonl, responses) are labelled instead: the file is
//! written again with the score in `scores` of each line (label_rows.hpp).
ExitCode run_evaluate(const Communicator& world, const EvaluateJob& job);

//! Collective. What --dry-run prints: the data's report by language. Writes nothing.
std::string evaluation_report(const Communicator& world, const EvaluateJob& job);

}  // namespace xlrm
