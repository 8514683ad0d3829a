#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How two examples of one representation differ: 1 − Pearson (not invariant to rotation), 1 − cosine, Euclidean.
enum class Dissimilarity { correlation, cosine, euclidean };
enum class RdmComparison { spearman, pearson };

//! Representational similarity analysis (Kriegeskorte et al. 2008): the correlation of the upper triangles of both dissimilarity
//! matrices. X (n, d_x), Y (n, d_y). Entries depend on one another: test by permuting examples, not by the correlation's own p.
Estimate rsa(const at::Tensor& x, const at::Tensor& y, Dissimilarity dissimilarity, RdmComparison comparison);

//! The dissimilarities' mean ranks of the upper triangle minus their mean, in both triangles of a matrix (n, n) with zero
//! diagonal: Spearman's correlation of two of them is Σ_{i>j} a_ij b_ij over the root of both Σ_{i>j} of squares. REQUIRES: n
//! > 1.
at::Tensor centred_rank_matrix(const at::Tensor& x, Dissimilarity dissimilarity);

//! The k nearest others of each example by cosine, (n, k) int64, ascending indices. Equal cosines: the lower index is nearer.
//! REQUIRES: n > k.
at::Tensor nearest_others(const at::Tensor& x, std::int64_t k);
//! Mean overlap |N ∩ N'| / |N ∪ N'| of such lists, where example order[i] of the second stands in place i (none: as they are).
double neighbour_overlap(const at::Tensor& a, const at::Tensor& b, std::span<const std::int64_t> order = {});

//! Mean overlap |N ∩ N'| / |N ∪ N'| of each example's k nearest others by cosine in both representations: a local view beside
//! CKA. Chance about k/(2n). Equal cosines: the lower index is nearer. too_few_items unless n > k.
Estimate neighbour_jaccard(const at::Tensor& x, const at::Tensor& y, std::int64_t k = 10);

}  // namespace xlrm
