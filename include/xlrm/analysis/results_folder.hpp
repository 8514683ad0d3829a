#pragma once

#include <filesystem>

#include "xlrm/analysis/grid.hpp"
#include "xlrm/analysis/statement.hpp"

namespace xlrm {

//! The cells of a folder of results, and what is wrong with them.
struct Results {
    Grid grid;  //!< cells that verify alone
    Statements statements;
    std::int64_t planned = 0;  //!< cells that should be there
};

//! Reads a sweep folder: the grid is that of its plan.json (schema "XLRM-plan-1"), or, without one, that of the cells below
//! `cells/`, every model on every benchmark and target that any has. A cell that is missing, differs from its hash, or lacks the
//! scores of a trained model is left out and stated. `hashes` must outlive the result. Throws Error where there is no cell at
//! all.
Results read_results(const std::filesystem::path& folder, FileHashes& hashes);

}  // namespace xlrm
