#pragma once

#include <string>

#include "xlrm/core/json.hpp"

namespace xlrm {

//! A step's or an evaluation's record as the progress line shows it.
std::string step_line(const Json& record);

}  // namespace xlrm
