#include "xlrm/stats/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

double exponential_entropy(const std::vector<double>& weights) {
    double whole = 0.0;
    for (const double weight : weights) whole += weight;
    double entropy = 0.0;
    for (const double weight : weights) {
        const double p = weight / whole;
        if (p > 0.0) entropy -= p * std::log(p);
    }
    return std::exp(entropy);
}

}  // namespace

Spectrum spectrum(const at::Tensor& x, bool centred) {
    matrix::require_matrix(x, "a spectrum");
    Spectrum result;
    if (x.size(0) == 0) return result;
    const std::vector<double> singular = matrix::singular_values(centred ? matrix::centred(x) : x);
    std::vector<double> squares;
    double sum = 0.0, fourth = 0.0;
    for (const double s : singular) {
        squares.push_back(s * s);
        sum += s * s;
        fourth += s * s * s * s;
    }
    if (sum == 0.0) {
        for (Estimate* value :
             {&result.effective_rank, &result.effective_rank_squared, &result.participation_ratio, &result.stable_rank})
            *value = Undefined::no_variation;
        return result;
    }
    result.effective_rank = exponential_entropy(singular);
    result.effective_rank_squared = exponential_entropy(squares);
    result.participation_ratio = sum * sum / fourth;
    result.stable_rank = sum / squares.front();
    for (const double square : squares) result.variance_shares.push_back(square / sum);
    return result;
}

Estimate anisotropy(const at::Tensor& x) {
    matrix::require_matrix(x, "anisotropy");
    const at::Tensor rows = matrix::unit_rows(x);
    double n = 0.0;
    for (const double norm : matrix::values(matrix::row_norms(x))) n += norm > 0.0 ? 1.0 : 0.0;
    if (n < 2.0) return Undefined::too_few_items;
    const at::Tensor sum = rows.sum(0);
    return (matrix::dot(sum, sum) - n) / (n * (n - 1.0));
}

Estimate top_feature_share(const at::Tensor& x, std::int64_t top) {
    matrix::require_matrix(x, "the share of the top features");
    require(top > 0, "the share of the top features needs at least one");
    if (x.size(0) == 0) return Undefined::no_items;
    std::vector<double> squares = matrix::values(x.mul(x).sum(0));
    std::sort(squares.begin(), squares.end(), std::greater<>());
    double sum = 0.0, first = 0.0;
    for (std::size_t i = 0; i < squares.size(); ++i) {
        sum += squares[i];
        if (static_cast<std::int64_t>(i) < top) first += squares[i];
    }
    if (sum == 0.0) return Undefined::no_variation;
    return first / sum;
}

}  // namespace xlrm
