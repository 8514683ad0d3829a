#pragma once

#include <vector>

#include "facts.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm::world {

//! Preference rows of the facts that are (not) held out, `variants` of each with other sentences and another wrong answer, in
//! every language. Within a relation each answer is as often the wrong one as the right one, so that no answer is better in
//! itself.
std::vector<PreferenceRow> fact_pairs(const Facts& facts, bool held_out, int variants, Random& random);

}  // namespace xlrm::world
