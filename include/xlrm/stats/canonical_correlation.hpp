#pragma once

#include <ATen/core/Tensor.h>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Canonical correlations ρ of X (n, d_x) and Y (n, d_y): singular values of Qx' Qy, Q from the QR of the centred columns.
//! Invariant to any invertible linear map. fewer_items_than_features where n − 1 < d_x + d_y: correlations of 1 are then certain.
struct CanonicalCorrelation {
    Estimate mean = Undefined::no_items;          //!< Σ ρ / min(d_x, d_y)
    Estimate mean_squared = Undefined::no_items;  //!< Σ ρ² / min(d_x, d_y)
};
//! `strict` false computes the value where it says little, for comparison with packages that do.
CanonicalCorrelation canonical_correlation(const at::Tensor& x, const at::Tensor& y, bool strict = true);

//! SVCCA (Raghu et al. 2017): each side reduced to its fewest principal directions with a share `kept` of Σ s² (squared singular
//! values, not s), then the mean ρ.
Estimate svcca(const at::Tensor& x, const at::Tensor& y, double kept = 0.99, bool strict = true);

//! What SVCCA takes of one side, for sides that are compared with many: an orthonormal basis (n, k) of the scores on those
//! directions, from the eigenvectors of X'X or XX', whichever is smaller. The smallest direction that a share of 0.9999 or less
//! can keep has 1e-4 / min(n, d) of the largest one's variance, so that its error stays below 1e-8; a larger share is taken from
//! singular vectors of X. Throws Error unless 0 < kept <= 1.
at::Tensor principal_basis(const at::Tensor& x, double kept = 0.99);
//! SVCCA of two such bases.
Estimate svcca_of_bases(const at::Tensor& x, const at::Tensor& y, bool strict = true);

//! Projection-weighted CCA (Morcos, Raghu and Bengio 2018, section 2.3): Σ α_i ρ_i / Σ α_i with α_i = Σ_j |h_i · x_j|, h_i the
//! canonical variates of X at unit length and x_j its centred columns: correlations weighted by how much of X they account for,
//! so X and Y may not be exchanged. The code that its authors published leaves the whitening out of the directions, and others
//! weight otherwise: values of other packages differ in the third digit. Where n − 1 < d_x + d_y correlations tie at 1 and the
//! weights are not determined.
Estimate pwcca(const at::Tensor& x, const at::Tensor& y, bool strict = true);

//! What it takes of one side: the QR decomposition of its centred columns.
struct PwccaSide {
    at::Tensor q;  //!< (n, min(n, d))
    at::Tensor r;  //!< (min(n, d), d)
};
PwccaSide pwcca_side(const at::Tensor& x);
Estimate pwcca_of_sides(const PwccaSide& x, const PwccaSide& y, bool strict = true);

}  // namespace xlrm
