#pragma once

#include <c10/core/ScalarType.h>

#include "xlrm/model/config.hpp"

namespace xlrm {

//! FLOP/s of this rank in one product of 64 rows with a matrix of the model's width, the best of a few. For estimates of time.
double product_speed(const ModelConfig& config, at::ScalarType dtype);

}  // namespace xlrm
