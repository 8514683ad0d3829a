#pragma once

#include <vector>

#include "xlrm/analysis/transfer_table.hpp"

namespace xlrm {

//! Mean singular-value ratio f over the items that every target has, for each model and benchmark all of whose cells are there
//! with last-token activations of the last layer.
std::vector<RatioEntry> parallel_ratios(const Grid& grid);

}  // namespace xlrm
