#pragma once

#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/folder.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

//! Looks at everything that the sweep will read, before anything is made: every row of [data] (and the texts of a base that is
//! still to be made), that each language of the grid has rows in its part of the split, the options of each training and
//! evaluation, and of each base that is given its configuration, the names and shapes of its weights, its tokenizer, its
//! templates and layers. One rank's work of seconds; `config` has the world's files, if there is a world. Warns once of rows that
//! share an id. Throws Error naming option, file, line, field or tensor; returns what it read.
SweepInputs check_inputs(const SweepConfig& config, const SweepFolder& folder);

}  // namespace xlrm
