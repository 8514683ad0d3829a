#include "xlrm/stats/cochran_q.hpp"

#include <vector>

#include "xlrm/core/error.hpp"
#include "xlrm/stats/distributions.hpp"

namespace xlrm {

CochranQ cochran_q(std::span<const std::uint8_t> right, std::int64_t models) {
    require(models > 0 && right.size() % static_cast<std::size_t>(models) == 0,
            "Cochran's Q of a table that is not (item, model)");
    CochranQ result;
    const auto undefined = [&](Undefined why) {
        result.q = result.p = why;
        return result;
    };
    if (right.empty()) return undefined(Undefined::no_items);
    if (models < 2) return undefined(Undefined::one_model);
    const auto k = static_cast<std::size_t>(models);
    std::vector<std::int64_t> columns(k, 0);
    std::int64_t total = 0;
    std::int64_t row_squares = 0;
    for (std::size_t begin = 0; begin < right.size(); begin += k) {
        std::int64_t row = 0;
        for (std::size_t j = 0; j < k; ++j) {
            row += right[begin + j];
            columns[j] += right[begin + j];
        }
        total += row;
        row_squares += row * row;
    }
    std::int64_t column_squares = 0;
    for (const std::int64_t column : columns) column_squares += column * column;
    const std::int64_t below = models * total - row_squares;
    if (below == 0) return undefined(Undefined::no_discordant_items);
    result.df = models - 1;
    const double q = static_cast<double>(models - 1) * static_cast<double>(models * column_squares - total * total) /
                     static_cast<double>(below);
    result.q = q;
    result.p = chi_square_tail(q, result.df);
    return result;
}

}  // namespace xlrm
