#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xlrm {

//! How many words of a text are function words (articles, prepositions, pronouns, auxiliaries) of each language that the table
//! has. They are few, frequent, and differ where names and technical terms are the same everywhere.
class FunctionWordCounts {
public:
    //! REQUIRES: valid UTF-8.
    explicit FunctionWordCounts(std::string_view text);
    //! 0 for a language that the table lacks.
    std::int64_t of(std::string_view code) const;
    static bool knows(std::string_view code);
    //! The language with most, where it has at least three, two more than any other, and half as many again; else "".
    std::string clear_winner() const;
    std::int64_t most() const;

private:
    std::vector<std::int64_t> counts_;  // in the order of the table
};

}  // namespace xlrm
