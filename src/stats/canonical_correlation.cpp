#include "xlrm/stats/canonical_correlation.hpp"

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>

#include "matrix.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {

namespace {

constexpr double kMostOfEigenvectors = 0.9999;

//! Whether correlations of 1 are certain.
bool too_wide(std::int64_t n, std::int64_t x, std::int64_t y) { return n - 1 < x + y; }

//! The fewest of descending `variances` with a share `kept` of their sum.
std::int64_t fewest(const std::vector<double>& variances, double kept) {
    double whole = 0.0, sum = 0.0;
    for (const double one : variances) whole += one;
    std::int64_t count = 0;
    for (const double one : variances) {
        ++count;
        sum += one;
        if (sum >= kept * whole) break;
    }
    return count;
}

at::Tensor basis_from_singular_vectors(const at::Tensor& centred, double kept) {
    const auto [u, s, vh] = at::linalg_svd(centred, false);
    return u.narrow(1, 0, fewest(matrix::values(s.mul(s)), kept)).contiguous();
}

at::Tensor basis_from_eigenvectors(const at::Tensor& centred, double kept) {
    const bool wide = centred.size(1) > centred.size(0);
    const auto [ascending, vectors] = at::linalg_eigh(wide ? centred.matmul(centred.t()) : centred.t().matmul(centred));
    const at::Tensor values = ascending.flip(0).clamp_min(0.0);
    if (values[0].item<double>() == 0.0) return basis_from_singular_vectors(centred, kept);  // any vectors do
    const std::int64_t count = fewest(matrix::values(values), kept);
    const at::Tensor first = vectors.flip(1).narrow(1, 0, count);
    return wide ? first.contiguous() : centred.matmul(first).div(values.narrow(0, 0, count).sqrt());
}

//! Σ ρ and Σ ρ² of two orthonormal bases.
std::pair<double, double> correlations(const at::Tensor& x, const at::Tensor& y) {
    double sum = 0.0, squares = 0.0;
    for (const double value : matrix::singular_values(x.t().matmul(y))) {
        const double rho = std::min(1.0, value);
        sum += rho;
        squares += rho * rho;
    }
    return {sum, squares};
}

}  // namespace

CanonicalCorrelation canonical_correlation(const at::Tensor& x, const at::Tensor& y, bool strict) {
    matrix::require_rows(x, y, "CCA");
    if (strict && too_wide(x.size(0), x.size(1), y.size(1)))
        return {Undefined::fewer_items_than_features, Undefined::fewer_items_than_features};
    const at::Tensor qx = std::get<0>(at::linalg_qr(matrix::centred(x))), qy = std::get<0>(at::linalg_qr(matrix::centred(y)));
    const auto count = static_cast<double>(std::min({x.size(1), y.size(1), x.size(0)}));
    const auto [sum, squares] = correlations(qx, qy);
    return {sum / count, squares / count};
}

at::Tensor principal_basis(const at::Tensor& x, double kept) {
    matrix::require_matrix(x, "SVCCA");
    require(kept > 0.0 && kept <= 1.0, "SVCCA keeps a share of the variance within (0, 1]");
    const at::Tensor centred = matrix::centred(x);
    return kept <= kMostOfEigenvectors ? basis_from_eigenvectors(centred, kept) : basis_from_singular_vectors(centred, kept);
}

Estimate svcca_of_bases(const at::Tensor& x, const at::Tensor& y, bool strict) {
    matrix::require_rows(x, y, "SVCCA");
    if (strict && too_wide(x.size(0), x.size(1), y.size(1))) return Undefined::fewer_items_than_features;
    return correlations(x, y).first / static_cast<double>(std::min(x.size(1), y.size(1)));
}

Estimate svcca(const at::Tensor& x, const at::Tensor& y, double kept, bool strict) {
    matrix::require_rows(x, y, "SVCCA");
    return svcca_of_bases(principal_basis(x, kept), principal_basis(y, kept), strict);
}

PwccaSide pwcca_side(const at::Tensor& x) {
    matrix::require_matrix(x, "PWCCA");
    const auto [q, r] = at::linalg_qr(matrix::centred(x));
    return {q, r};
}

Estimate pwcca_of_sides(const PwccaSide& x, const PwccaSide& y, bool strict) {
    matrix::require_rows(x.q, y.q, "PWCCA");
    if (strict && too_wide(x.q.size(0), x.r.size(1), y.r.size(1))) return Undefined::fewer_items_than_features;
    const auto [u, rho, vh] = at::linalg_svd(x.q.t().matmul(y.q), false);
    const std::vector<double> weights = matrix::values(u.t().matmul(x.r).abs().sum(1));
    const std::vector<double> correlations = matrix::values(rho);
    double sum = 0.0, whole = 0.0;
    for (std::size_t i = 0; i < correlations.size(); ++i) {
        sum += weights[i] * std::min(1.0, correlations[i]);
        whole += weights[i];
    }
    if (whole == 0.0) return Undefined::no_variation;
    return sum / whole;
}

Estimate pwcca(const at::Tensor& x, const at::Tensor& y, bool strict) {
    matrix::require_rows(x, y, "PWCCA");
    if (strict && too_wide(x.size(0), x.size(1), y.size(1))) return Undefined::fewer_items_than_features;
    return pwcca_of_sides(pwcca_side(x), pwcca_side(y), strict);
}

}  // namespace xlrm
