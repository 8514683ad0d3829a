#include "xlrm/stats/additive_fit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Solves the symmetric positive definite system a·x = b in place by Cholesky's factors; false where it is singular.
bool solve(std::vector<double> a, std::vector<double>* b) {
    const std::size_t n = b->size();
    double largest = 0.0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, a[i * n + i]);
    for (std::size_t j = 0; j < n; ++j) {
        double pivot = a[j * n + j];
        for (std::size_t k = 0; k < j; ++k) pivot -= a[j * n + k] * a[j * n + k];
        if (pivot <= 1e-10 * largest) return false;
        a[j * n + j] = std::sqrt(pivot);
        for (std::size_t i = j + 1; i < n; ++i) {
            double value = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) value -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = value / a[j * n + j];
        }
    }
    std::vector<double>& x = *b;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) x[i] -= a[i * n + k] * x[k];
        x[i] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) x[i] -= a[k * n + i] * x[k];
        x[i] /= a[i * n + i];
    }
    return true;
}

//! mean, source effects but the last, target effects but the last, home; a last effect is minus the sum of the others.
std::vector<double> design_row(const MatrixCell& cell, std::size_t sources, std::size_t targets, bool with_home) {
    std::vector<double> row(1 + (sources - 1) + (targets - 1) + (with_home ? 1 : 0), 0.0);
    row[0] = 1.0;
    const auto effect = [&](std::size_t begin, std::size_t level, std::size_t levels) {
        if (level + 1 < levels)
            row[begin + level] = 1.0;
        else
            std::fill_n(row.begin() + static_cast<std::ptrdiff_t>(begin), levels - 1, -1.0);
    };
    effect(1, static_cast<std::size_t>(cell.source), sources);
    effect(sources, static_cast<std::size_t>(cell.target), targets);
    if (with_home && cell.home) row.back() = 1.0;
    return row;
}

std::vector<double> effects(const std::vector<double>& parameters, std::size_t begin, std::size_t levels) {
    std::vector<double> values(parameters.begin() + static_cast<std::ptrdiff_t>(begin),
                               parameters.begin() + static_cast<std::ptrdiff_t>(begin + levels - 1));
    double sum = 0.0;
    for (const double value : values) sum += value;
    values.push_back(-sum);
    return values;
}

}  // namespace

AdditiveOutcome additive_fit(std::span<const MatrixCell> cells, std::int64_t sources, std::int64_t targets) {
    AdditiveOutcome outcome;
    if (cells.empty()) {
        outcome.why = Undefined::no_items;
        return outcome;
    }
    for (const MatrixCell& cell : cells)
        require(cell.source >= 0 && cell.source < sources && cell.target >= 0 && cell.target < targets,
                "an additive fit of a cell outside its matrix");
    const auto s = static_cast<std::size_t>(sources), t = static_cast<std::size_t>(targets);
    const auto at_home = std::ranges::count_if(cells, [](const MatrixCell& cell) { return cell.home; });
    const bool with_home = at_home > 0 && at_home < std::ssize(cells);
    const std::size_t width = s + t - 1 + (with_home ? 1 : 0);
    std::vector<double> normal(width * width, 0.0), right(width, 0.0);
    for (const MatrixCell& cell : cells) {
        const std::vector<double> row = design_row(cell, s, t, with_home);
        for (std::size_t i = 0; i < width; ++i) {
            right[i] += row[i] * cell.value;
            for (std::size_t j = 0; j < width; ++j) normal[i * width + j] += row[i] * row[j];
        }
    }
    if (!solve(normal, &right)) return outcome;
    outcome.defined = true;
    outcome.fit = {right[0], effects(right, 1, s), effects(right, s, t), with_home ? right.back() : 0.0, 0.0, with_home};
    double squares = 0.0;
    for (const MatrixCell& cell : cells) {
        const std::vector<double> row = design_row(cell, s, t, with_home);
        double fitted = 0.0;
        for (std::size_t i = 0; i < width; ++i) fitted += row[i] * right[i];
        squares += (cell.value - fitted) * (cell.value - fitted);
    }
    if (cells.size() > width) outcome.fit.residual = std::sqrt(squares / static_cast<double>(cells.size() - width));
    return outcome;
}

}  // namespace xlrm
