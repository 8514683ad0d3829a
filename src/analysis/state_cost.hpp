#pragma once

#include <string>

#include "state_set.hpp"

namespace xlrm {

//! What a part that reads activations takes of one set, roughly, for a look at it beforehand.
struct StateCost {
    double operations = 0.0;  //!< multiplications and additions, over all layers
    double bytes = 0.0;       //!< of memory that a rank needs at once
};
//! Of parts that are not named here (a few passes over the states): reading alone.
StateCost state_cost(const StateSet& set, const std::string& part);

//! "about 3.1e+14 operations (4.3 hours of one core at 20 GFLOP/s) and 900 MB on a rank"
std::string text_of(const StateCost& cost);

}  // namespace xlrm
