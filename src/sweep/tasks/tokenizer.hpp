#pragma once

#include "xlrm/core/json.hpp"
#include "xlrm/sweep/config.hpp"
#include "xlrm/sweep/inputs.hpp"

namespace xlrm {

//! Whether some base is made here with a tokenizer that is made here too.
bool makes_tokenizer(const SweepConfig& config);

//! Of the tokenizer that is made here.
Json tokenizer_recipe(const SweepConfig& config, const SweepInputs& inputs);

}  // namespace xlrm
