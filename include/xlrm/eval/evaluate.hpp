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
    std::vector<std::string> data, langs;
    EvaluateOptions evaluate;
};
void describe(Options& options, EvaluateJob& job);

//! Collective. Evaluates and writes the cell (several languages: all rows in one cell, `lang` told row by row). Prints accuracy by language
//! with its Wilson interval.
ExitCode run_evaluate(const Communicator& world, const EvaluateJob& job);

//! Collective. What --dry-run prints: the data's report by language. Writes nothing.
std::string evaluation_report(const Communicator& world, const EvaluateJob& job);

}  // namespace xlrm
