#include "ops/environment.hpp"

#include <algorithm>
#include <cstdlib>

#include "xlrm/core/error.hpp"
#include "xlrm/core/options.hpp"

namespace xlrm {

std::string environment_choice(const char* variable, const std::vector<std::string>& choices, const std::string& why) {
    const char* const text = std::getenv(variable);
    const std::string value = text == nullptr ? "" : text;
    if (value.empty() || std::ranges::count(choices, value) > 0) return value;
    std::string known;
    for (const std::string& choice : choices) known += (known.empty() ? "" : ", ") + choice;
    const std::string near = nearest_name(value, choices);
    fail("the environment's " + std::string(variable) + " is '" + value + "' (" + why + ": " + known + ")" +
             (near.empty() ? "" : "; did you mean " + near + "?") + "; set it to one of these, or unset it",
         ExitCode::usage);
}

}  // namespace xlrm
