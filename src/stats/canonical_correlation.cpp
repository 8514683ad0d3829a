#include "xlrm/stats/canonical_correlation.hpp"

#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

//! Scores on the fewest principal directions with a share `kept` of the variance.
at::Tensor principal(const at::Tensor& centred, double kept) {
    const auto [u, s, vh] = at::linalg_svd(centred, false);
    const std::vector<double> singular = matrix::values(s);
    double whole = 0.0;
    for (const double value : singular) whole += value * value;
    double sum = 0.0;
    std::int64_t count = 0;
    for (const double value : singular) {
        ++count;
        sum += value * value;
        if (sum >= kept * whole) break;
    }
    return u.narrow(1, 0, count).mul(s.narrow(0, 0, count));
}

}  // namespace

CanonicalCorrelation canonical_correlation(const at::Tensor& x, const at::Tensor& y, bool strict) {
    matrix::require_rows(x, y, "CCA");
    CanonicalCorrelation result;
    if (strict && x.size(0) - 1 < x.size(1) + y.size(1)) {
        result.mean = result.mean_squared = Undefined::fewer_items_than_features;
        return result;
    }
    const at::Tensor qx = std::get<0>(at::linalg_qr(matrix::centred(x))), qy = std::get<0>(at::linalg_qr(matrix::centred(y)));
    const auto count = static_cast<double>(std::min({x.size(1), y.size(1), x.size(0)}));
    double sum = 0.0, squares = 0.0;
    for (const double value : matrix::singular_values(qx.t().matmul(qy))) {
        const double rho = std::min(1.0, value);
        sum += rho;
        squares += rho * rho;
    }
    result.mean = sum / count;
    result.mean_squared = squares / count;
    return result;
}

Estimate svcca(const at::Tensor& x, const at::Tensor& y, double kept, bool strict) {
    matrix::require_rows(x, y, "SVCCA");
    require(kept > 0.0 && kept <= 1.0, "SVCCA keeps a share of the variance within (0, 1]");
    return canonical_correlation(principal(matrix::centred(x), kept), principal(matrix::centred(y), kept), strict).mean;
}

Estimate pwcca(const at::Tensor& x, const at::Tensor& y, bool strict) {
    matrix::require_rows(x, y, "PWCCA");
    if (strict && x.size(0) - 1 < x.size(1) + y.size(1)) return Undefined::fewer_items_than_features;
    const at::Tensor xc = matrix::centred(x);
    const at::Tensor qx = std::get<0>(at::linalg_qr(xc)), qy = std::get<0>(at::linalg_qr(matrix::centred(y)));
    const auto [u, rho, vh] = at::linalg_svd(qx.t().matmul(qy), false);
    const std::vector<double> weights = matrix::values(qx.matmul(u).t().matmul(xc).abs().sum(1));
    const std::vector<double> correlations = matrix::values(rho);
    double sum = 0.0, whole = 0.0;
    for (std::size_t i = 0; i < correlations.size(); ++i) {
        sum += weights[i] * std::min(1.0, correlations[i]);
        whole += weights[i];
    }
    if (whole == 0.0) return Undefined::no_variation;
    return sum / whole;
}

}  // namespace xlrm
