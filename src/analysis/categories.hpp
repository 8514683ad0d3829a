#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "score_set.hpp"

namespace xlrm {

//! What a target's items are scored by: all items (strict); with a benchmark that has sections, each section by its published
//! weights and their average; else each subset where there are several, and the rule's total where it is not the share of all
//! items. `sizes`: items of each subset. Weights come from the rule itself (add_sections of one subset at a time), so there is
//! one place for them.
std::vector<Category> categories_of(const std::string& rule, const std::vector<std::string>& subsets,
                                    const std::vector<std::int64_t>& sizes);

}  // namespace xlrm
