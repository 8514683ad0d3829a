#pragma once

#include <string>

#include "xlrm/core/json.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

//! The surface-feature floor of one source on one benchmark: hashed character n-grams with Bradley-Terry weights, trained on the source's
//! training rows, measured on every target: {"source", "benchmark", "targets": {lang: {"n", "correct", "items": [id…], "right": [0|1…]}}}.
//! Rows are the same as the models': same files, languages and split.
Json surface_floor(const SweepConfig& config, const Source& source, const std::string& benchmark);

}  // namespace xlrm
