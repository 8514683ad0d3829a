#pragma once

#include <string>
#include <vector>

namespace xlrm {

//! What a reader must know of the results before the numbers: a cell that is missing, items that were left out, a comparison that
//! cannot be made.
struct Statement {
    std::string code;   //!< "missing_cell", "items_left_out" …
    std::string place;  //!< "base.en.s1 facts.ko"; "" where it concerns all
    std::string text;   //!< a sentence, with what it means or what to do
    bool operator==(const Statement&) const = default;
};
using Statements = std::vector<Statement>;

}  // namespace xlrm
