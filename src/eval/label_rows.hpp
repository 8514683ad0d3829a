#pragma once

#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/eval/evaluate.hpp"

namespace xlrm {

//! Whether --data holds answers that stand alone (RowKind::response, samples of xlrm_generate among them), by its first row.
bool labels_rows(const EvaluateJob& job);

//! Collective. Writes the rows of --data in their order, each with `scores`.<score name>: the model's score, or null where the
//! text is longer than --max-length. Other fields, and other scores, stay as they are. Facts of the run lie in
//! `<output>.run.json`. Equal bytes on any number of ranks. Throws Error(usage) for data that are not one file of JSON lines, and
//! Error naming a line that has a score of this name.
ExitCode label_rows(const Communicator& world, const EvaluateJob& job);

//! Collective. What --dry-run prints.
std::string labelling_report(const Communicator& world, const EvaluateJob& job);

}  // namespace xlrm
