#pragma once

#include <string>
#include <vector>

#include "support/shared_data.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/stats/estimate.hpp"

namespace xlrm::test {

//! What other packages make of random inputs (tests/fixtures/make_statistics.py, make_representation.py).
inline const Json& oracle(const std::string& name) {
    static const Json statistics = read_json(fixture("stats/statistics.json"));
    return statistics.at(name);
}

inline std::vector<double> numbers(const Json& list) { return list.get<std::vector<double>>(); }
inline std::vector<std::int64_t> counts(const Json& list) { return list.get<std::vector<std::int64_t>>(); }

}  // namespace xlrm::test
