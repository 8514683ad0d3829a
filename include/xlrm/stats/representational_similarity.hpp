#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How two examples of one representation differ: 1 − Pearson (not invariant to rotation), 1 − cosine, Euclidean.
enum class Dissimilarity { correlation, cosine, euclidean };
enum class RdmComparison { spearman, pearson };

//! Representational similarity analysis (Kriegeskorte et al. 2008): the correlation of the upper triangles of both dissimilarity
//! matrices. X (n, d_x), Y (n, d_y). Entries depend on one another: test by permuting examples, not by the correlation's own p.
Estimate rsa(const at::Tensor& x, const at::Tensor& y, Dissimilarity dissimilarity, RdmComparison comparison);

//! Mean overlap |N ∩ N'| / |N ∪ N'| of each example's k nearest others by cosine in both representations: a local view beside
//! CKA. Chance about k/(2n). Equal cosines: the lower index is nearer. too_few_items unless n > k.
Estimate neighbour_jaccard(const at::Tensor& x, const at::Tensor& y, std::int64_t k = 10);

}  // namespace xlrm
