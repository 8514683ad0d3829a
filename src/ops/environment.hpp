#pragma once

#include <string>
#include <vector>

namespace xlrm {

//! The value of a variable of the environment: one of `choices`, or "" where it is unset or empty. Throws Error(usage) for
//! another, with the nearest of them; `why` says what the variable is for.
std::string environment_choice(const char* variable, const std::vector<std::string>& choices, const std::string& why);

}  // namespace xlrm
