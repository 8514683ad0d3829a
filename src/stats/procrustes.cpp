#include "xlrm/stats/procrustes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "matrix.hpp"

namespace xlrm {

Procrustes procrustes(const at::Tensor& x, const at::Tensor& y) {
    matrix::require_rows(x, y, "Procrustes");
    Procrustes result;
    if (x.size(0) == 0) return result;
    const at::Tensor xc = matrix::centred(x), yc = matrix::centred(y);
    const double norms = std::sqrt(matrix::dot(xc, xc)) * std::sqrt(matrix::dot(yc, yc));
    if (norms == 0.0) {
        result.similarity = result.angle = result.distance = Undefined::no_variation;
        return result;
    }
    const std::vector<double> singular = matrix::singular_values(xc.t().matmul(yc));
    const double s = std::min(1.0, std::accumulate(singular.begin(), singular.end(), 0.0) / norms);
    result.similarity = s;
    result.angle = std::acos(s);
    result.distance = std::sqrt(2.0 - 2.0 * s);
    return result;
}

}  // namespace xlrm
