#pragma once

#include <string>

#include "xlrm/analysis/transfer_table.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! The plan's grid as the analysis reads it. `folder` must outlive it.
Grid grid_of(const SweepFolder& folder, const Plan& plan);

//! Writes table.txt, table.md and table.csv, and index.h5, and returns the table. Throws Error where results come from other
//! content than the plan says (compare.hpp).
TransferTable write_tables(const SweepFolder& folder, const Plan& plan);

}  // namespace xlrm
