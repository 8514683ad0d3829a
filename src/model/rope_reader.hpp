#pragma once

#include <cstdint>

#include "config_reader.hpp"
#include "xlrm/ops/rope.hpp"

namespace xlrm {

//! Rotary embedding as config.json has it: rope_parameters {rope_theta, rope_type, …} since transformers 5, before it rope_theta
//! and rope_scaling; either may hold a set for each type of layer, which must then be equal. A kind that xlrm does not compute is
//! refused as such, before any field of it is asked for.
RopeConfig parse_rope(const ConfigReader& reader, std::int64_t max_positions);

}  // namespace xlrm
