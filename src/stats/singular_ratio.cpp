#include "xlrm/stats/singular_ratio.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <numeric>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

// One rotation in the plane (p, q) that makes a[p][q] zero (Golub and Van Loan, section 8.5).
void rotate(std::vector<double>& a, std::size_t n, std::size_t p, std::size_t q) {
    const double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    const double t = (theta >= 0.0 ? 1.0 : -1.0) / (std::abs(theta) + std::hypot(theta, 1.0));
    const double c = 1.0 / std::hypot(t, 1.0);
    const double s = t * c;
    for (std::size_t k = 0; k < n; ++k) {
        const double kp = a[k * n + p], kq = a[k * n + q];
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for (std::size_t k = 0; k < n; ++k) {
        const double pk = a[p * n + k], qk = a[q * n + k];
        a[p * n + k] = c * pk - s * qk;
        a[q * n + k] = s * pk + c * qk;
    }
}

double off_diagonal(const std::vector<double>& a, std::size_t n) {
    double sum = 0.0;
    for (std::size_t p = 0; p < n; ++p)
        for (std::size_t q = 0; q < n; ++q)
            if (p != q) sum += a[p * n + q] * a[p * n + q];
    return sum;
}

std::vector<double> mean_vector(std::span<const std::span<const float>> by_language, std::int64_t items, std::int64_t features) {
    std::vector<double> mean(static_cast<std::size_t>(features), 0.0);
    for (const auto& matrix : by_language)
        for (std::size_t i = 0; i < matrix.size(); ++i) mean[i % mean.size()] += static_cast<double>(matrix[i]);
    const double count = static_cast<double>(items) * static_cast<double>(by_language.size());
    for (double& value : mean) value /= count;
    return mean;
}

void normalise(std::span<double> row) {
    const double norm = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    if (norm > 0.0)
        for (double& value : row) value /= norm;
}

}  // namespace

std::string name_of(RatioVariant variant) {
    switch (variant) {
        case RatioVariant::raw:
            return "raw";
        case RatioVariant::centred:
            return "centred";
        case RatioVariant::row_normalised:
            return "row_normalised";
        case RatioVariant::centred_normalised:
            return "centred_normalised";
    }
    assert(false);
    return {};
}

std::vector<double> symmetric_eigenvalues(std::vector<double> matrix, std::int64_t n) {
    assert(n > 0 && matrix.size() == static_cast<std::size_t>(n * n));
    const auto size = static_cast<std::size_t>(n);
    const double total = std::inner_product(matrix.begin(), matrix.end(), matrix.begin(), 0.0);
    constexpr int kMaxSweeps = 60;  // convergence is quadratic: a handful do
    for (int sweep = 0; sweep < kMaxSweeps && off_diagonal(matrix, size) > 1e-32 * total; ++sweep)
        for (std::size_t p = 0; p + 1 < size; ++p)
            for (std::size_t q = p + 1; q < size; ++q)
                if (matrix[p * size + q] != 0.0) rotate(matrix, size, p, q);
    std::vector<double> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = matrix[i * size + i];
    std::sort(values.begin(), values.end(), std::greater<>());
    return values;
}

Estimate singular_ratio(std::span<const double> matrix, std::int64_t languages, std::int64_t features) {
    assert(languages > 0 && features > 0 && matrix.size() == static_cast<std::size_t>(languages * features));
    const auto n = static_cast<std::size_t>(languages), d = static_cast<std::size_t>(features);
    std::vector<double> gram(n * n);
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = a; b < n; ++b) {
            const auto row_a = matrix.subspan(a * d, d), row_b = matrix.subspan(b * d, d);
            gram[a * n + b] = gram[b * n + a] = std::inner_product(row_a.begin(), row_a.end(), row_b.begin(), 0.0);
        }
    double largest = 0.0, sum = 0.0;
    for (const double eigenvalue : symmetric_eigenvalues(std::move(gram), languages)) {
        const double singular = std::sqrt(std::max(0.0, eigenvalue));  // rounding may push a zero below zero
        largest = std::max(largest, singular);
        sum += singular;
    }
    if (sum == 0.0) return Undefined::no_variation;
    return largest / sum;
}

std::vector<Estimate> singular_ratios(std::span<const std::span<const float>> by_language, std::int64_t items,
                                      std::int64_t features, RatioVariant variant) {
    require(!by_language.empty() && items >= 0 && features > 0, "singular ratios need at least one language and one feature");
    for (const auto& matrix : by_language)
        if (matrix.size() != static_cast<std::size_t>(items * features))
            fail("singular ratios: a language has " + std::to_string(matrix.size()) + " values instead of " +
                 std::to_string(items) + " items of " + std::to_string(features) + " features (the items must be parallel)");
    if (items == 0) return {};
    const bool centre = variant == RatioVariant::centred || variant == RatioVariant::centred_normalised;
    const bool unit = variant == RatioVariant::row_normalised || variant == RatioVariant::centred_normalised;
    const auto d = static_cast<std::size_t>(features);
    const std::vector<double> mean = centre ? mean_vector(by_language, items, features) : std::vector<double>(d, 0.0);

    std::vector<Estimate> ratios;
    std::vector<double> block(by_language.size() * d);
    for (std::size_t item = 0; item < static_cast<std::size_t>(items); ++item) {
        for (std::size_t l = 0; l < by_language.size(); ++l) {
            const auto row = std::span(block).subspan(l * d, d);
            for (std::size_t k = 0; k < d; ++k) row[k] = static_cast<double>(by_language[l][item * d + k]) - mean[k];
            if (unit) normalise(row);
        }
        ratios.push_back(singular_ratio(block, static_cast<std::int64_t>(by_language.size()), features));
    }
    return ratios;
}

Estimate mean_ratio(std::span<const Estimate> ratios) {
    double sum = 0.0;
    for (const Estimate& ratio : ratios) {
        if (!ratio.defined()) return ratio;
        sum += ratio.value();
    }
    if (ratios.empty()) return Undefined::no_items;
    return sum / static_cast<double>(ratios.size());
}

}  // namespace xlrm
