#pragma once

#include <string>

#include "xlrm/core/json.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! The surface-feature floor of one source on one benchmark: hashed character n-grams with Bradley-Terry weights, trained on the
//! source's training rows, measured on every target:
//! {"source", "benchmark", "training_pairs", "targets": {lang: {"id", "occurrence", "subset": […], "right": [1|0.5|0 …]}}}, ½
//! where the floor is undecided. Rows are the same as the models': same files, languages and split; items that a length limit
//! leaves out of a cell are among them. An item is its id and occurrence (Item::occurrence); files from before it was kept lack
//! it.
Json surface_floor(const SweepConfig& config, const Source& source, const std::string& benchmark);

}  // namespace xlrm
