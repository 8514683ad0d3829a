#pragma once

#include <vector>

#include "xlrm/analysis/result_table.hpp"

namespace xlrm {

//! Whether languages that the base model represents alike transfer to one another: for each capture, layer and measure of the
//! table `alignment` (its base model's rows) the correlation with the gaps A[s,t] − A[t,t] of the table `gaps` over ordered pairs
//! of languages, with Mantel's test (mantel.hpp). Bases and benchmarks where either is missing have no rows.
ResultTable transfer_geometry(const ResultTable& alignment, const ResultTable& gaps);

}  // namespace xlrm
