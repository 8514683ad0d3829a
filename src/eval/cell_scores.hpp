#pragma once

#include <cstdint>
#include <vector>

#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Answers that stand for `chosen` and `rejected`: the best of the right ones and the best of the wrong ones, by score; without
//! scores the first of each. Throws Error for an item without a right or without a wrong answer.
void pick_sides(const ItemSet& set, const std::vector<float>& scores, std::vector<std::int64_t>* chosen,
                std::vector<std::int64_t>* rejected);

//! Fills the part /scores of a cell; `scores` of all answers of `set`, or empty.
void fill_scores(const ItemSet& set, const std::vector<float>& scores, const std::vector<std::int64_t>& chosen,
                 const std::vector<std::int64_t>& rejected, Cell* cell);

}  // namespace xlrm
