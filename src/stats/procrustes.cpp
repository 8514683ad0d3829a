#include "xlrm/stats/procrustes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "matrix.hpp"

namespace xlrm {

std::optional<at::Tensor> procrustes_side(const at::Tensor& x) {
    matrix::require_matrix(x, "Procrustes");
    const at::Tensor centred = matrix::centred(x);
    const double norm = std::sqrt(matrix::dot(centred, centred));
    if (norm == 0.0) return {};
    return matrix::narrowed(centred).div(norm);
}

Procrustes procrustes_of_sides(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "Procrustes");
    const std::vector<double> singular = matrix::singular_values(x.t().matmul(y));
    const double s = std::min(1.0, std::accumulate(singular.begin(), singular.end(), 0.0));
    return {s, std::acos(s), std::sqrt(2.0 - 2.0 * s)};
}

Procrustes procrustes(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "Procrustes");
    if (x.size(0) == 0) return {};
    const auto first = procrustes_side(x), second = procrustes_side(y);
    if (!first || !second) return {Undefined::no_variation, Undefined::no_variation, Undefined::no_variation};
    return procrustes_of_sides(*first, *second);
}

}  // namespace xlrm
