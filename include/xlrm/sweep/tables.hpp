#pragma once

#include <string>

#include "xlrm/analysis/surface_floor.hpp"
#include "xlrm/analysis/transfer_table.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! The plan's grid as the analysis reads it. `folder` must outlive it.
Grid grid_of(const SweepFolder& folder, const Plan& plan);

//! What the floor of a source on a benchmark is made of: the same files, languages and parts of the split as the models and
//! cells.
FloorRequest floor_request(const SweepConfig& config, const Source& source, const std::string& benchmark);

//! Writes table.txt, table.md and table.csv, and index.h5, and returns the table. Throws Error where results come from other
//! content than the plan says (compare.hpp).
TransferTable write_tables(const SweepFolder& folder, const Plan& plan);

}  // namespace xlrm
