#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace xlrm {

//! Counts the items of each language and id in the order of the input, so that pairs which share an id stay apart: an item is its
//! language, its id and its occurrence.
class Occurrences {
public:
    //! Of the next item of this language and id: 0 for the first.
    std::int32_t next(const std::string& lang, const std::string& id) { return seen_[lang + '\n' + id]++; }
    //! The same for an item whose occurrence is `recorded`; moved up where an earlier file has had that one.
    std::int32_t next(const std::string& lang, const std::string& id, std::int32_t recorded) {
        std::int32_t& count = seen_[lang + '\n' + id];
        count = std::max(count, recorded) + 1;
        return count - 1;
    }

private:
    std::unordered_map<std::string, std::int32_t> seen_;
};

}  // namespace xlrm
