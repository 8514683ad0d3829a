#pragma once

#include <string>

#include "xlrm/model/decoder.hpp"

namespace xlrm {

//! What training keeps of a forward pass of `tokens` tokens: by `recompute` (none | cheap | blocks), or for `auto` the most that
//! takes at most four fifths of `available` bytes; where even the least does not fit, the least. 0 bytes: not known, everything.
Keep plan_activations(const std::string& recompute, const ModelConfig& config, at::ScalarType dtype, double tokens,
                      double available);

}  // namespace xlrm
