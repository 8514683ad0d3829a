#include "xlrm/stats/retrieval.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

std::span<const double> row_of(const at::Tensor& matrix, std::int64_t i) {
    return {matrix.const_data_ptr<double>() + i * matrix.size(1), static_cast<std::size_t>(matrix.size(1))};
}

//! Of how many examples the diagonal entry is above all others of the row, of the column, of both.
struct Wins {
    std::int64_t rows = 0, columns = 0, both = 0;
};

Wins wins_of(const at::Tensor& cosines) {
    const auto n = static_cast<std::size_t>(cosines.size(0));
    constexpr double lowest = -std::numeric_limits<double>::infinity();
    std::vector<double> highest(n, lowest);  // of each column, without the diagonal
    std::vector<bool> row_wins(n);
    for (std::size_t i = 0; i < n; ++i) {
        const auto row = row_of(cosines, static_cast<std::int64_t>(i));
        double other = lowest;
        const auto look_at = [&](std::size_t j) {
            other = std::max(other, row[j]);
            highest[j] = std::max(highest[j], row[j]);
        };
        for (std::size_t j = 0; j < i; ++j) look_at(j);
        for (std::size_t j = i + 1; j < n; ++j) look_at(j);
        row_wins[i] = row[i] > other;
    }
    Wins wins;
    for (std::size_t i = 0; i < n; ++i) {
        const bool column = row_of(cosines, static_cast<std::int64_t>(i))[i] > highest[i];
        wins.rows += row_wins[i] ? 1 : 0;
        wins.columns += column ? 1 : 0;
        wins.both += row_wins[i] && column ? 1 : 0;
    }
    return wins;
}

//! Mean of the k largest entries of each row.
std::vector<double> nearest_means(const at::Tensor& cosines, std::int64_t k) {
    std::vector<double> means;
    std::vector<std::pair<double, std::int64_t>> best;
    for (std::int64_t i = 0; i < cosines.size(0); ++i) {
        matrix::find_largest(row_of(cosines, i), k, -1, best);
        double sum = 0.0;
        for (const auto& [value, place] : best) sum += value;
        means.push_back(sum / static_cast<double>(k));
    }
    return means;
}

//! Of how many rows the diagonal entry of 2 C_ij − r_i − r_j is above all others.
std::int64_t corrected_wins(const at::Tensor& cosines, std::int64_t k) {
    const std::vector<double> rows = nearest_means(cosines, k), columns = nearest_means(cosines.t().contiguous(), k);
    std::int64_t wins = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = row_of(cosines, static_cast<std::int64_t>(i));
        const auto corrected = [&](std::size_t j) { return 2.0 * row[j] - rows[i] - columns[j]; };
        const double own = corrected(i);
        bool best = true;
        for (std::size_t j = 0; j < rows.size() && best; ++j) best = j == i || own > corrected(j);
        wins += best ? 1 : 0;
    }
    return wins;
}

}  // namespace

at::Tensor without_mean(const at::Tensor& x) {
    matrix::require_matrix(x, "centring");
    return matrix::centred(x);
}

at::Tensor at_unit_length(const at::Tensor& x) {
    matrix::require_matrix(x, "rows at unit length");
    return matrix::unit_rows(x);
}

Retrieval retrieval(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k) {
    matrix::require_rows(x, y, "retrieval");
    require(csls_k > 0, "retrieval needs k > 0");
    return retrieval_of_units(matrix::unit_rows(x), matrix::unit_rows(y), csls_k);
}

Retrieval retrieval_of_units(const at::Tensor& x, const at::Tensor& y, std::int64_t csls_k) {
    matrix::require_rows(x, y, "retrieval");
    require(x.size(1) == y.size(1) && csls_k >= 0, "retrieval needs equal numbers of features, and k >= 0");
    Retrieval result;
    const std::int64_t n = x.size(0);
    if (n < 2) {
        for (Estimate* value : {&result.x_to_y, &result.y_to_x, &result.csls, &result.mexa, &result.margin})
            *value = Undefined::too_few_items;
        return result;
    }
    const at::Tensor cosines = x.matmul(y.t()).contiguous();
    const auto count = static_cast<double>(n);
    const Wins wins = wins_of(cosines);
    result.x_to_y = static_cast<double>(wins.rows) / count;
    result.y_to_x = static_cast<double>(wins.columns) / count;
    result.mexa = static_cast<double>(wins.both) / count;
    result.csls = Undefined::not_estimated;
    if (csls_k > 0) result.csls = static_cast<double>(corrected_wins(cosines, std::min(csls_k, n))) / count;
    const double own = matrix::total(cosines.diagonal());
    result.margin = own / count - (matrix::total(cosines) - own) / (count * (count - 1.0));
    return result;
}

}  // namespace xlrm
