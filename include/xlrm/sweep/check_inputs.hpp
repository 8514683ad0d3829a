#pragma once

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"

namespace xlrm {

//! Looks at everything that the sweep will read, before anything long runs: every row of [data] (and of [pretrain] data where the base is
//! still to be made), that each language of the grid has rows in its part of the split, and of each base that is given its configuration,
//! the names and shapes of its weights, its tokenizer and its template. One rank's work of seconds. Throws Error naming file, line,
//! field or tensor.
void check_inputs(const SweepConfig& config, const SweepFolder& folder);

}  // namespace xlrm
