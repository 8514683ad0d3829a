#pragma once

#include "h5_write.hpp"
#include "xlrm/store/cell_file.hpp"

namespace xlrm {

//! Everything that a cell's file holds. REQUIRES: check_cell finds no fault.
void put_cell(const h5::OutFile& file, const Cell& cell);

}  // namespace xlrm
