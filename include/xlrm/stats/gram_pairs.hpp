#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Debiased linear CKA of many representations of the same n examples with one another, where each Gram matrix is computed once
//! and no whole one is held. With centred rows X a row of K = X X' sums to zero, so with a_i = K_ii, and b_i of L likewise,
//!     n(n−3) HSIC_u(K, L) = 2 Σ_{i>j} K_ij L_ij − 2/(n−2) Σ a_i b_i + Σ a Σ b / ((n−1)(n−2)),
//! and the first term is a sum over stripes of rows of the triangles below the diagonals. Products are fp32 over at most 4,096
//! entries, all else fp64: the result differs from cka_debiased by about 1e-6. Equal shapes give equal bits on one thread.

//! Means of the columns of all examples in fp64. Of equal rows: `constant`, so that they give zeros and not rounding.
struct ColumnMeans {
    std::vector<double> values;
    bool constant = false;
};
//! `values`: (n, d) row-major. Throws Error unless there are n · d values, n and d above 0.
ColumnMeans column_means(std::span<const float> values, std::int64_t n);

//! Column-centred in fp64, then rounded.
struct CentredRows {
    at::Tensor x;                       //!< (n, d) fp32
    std::vector<double> squared_norms;  //!< (n) a_i
};
CentredRows centred_rows(std::span<const float> values, std::int64_t n);
//! The first rows alone, those that `values` has, into `out`, whose memory is used again: out.x may have more rows, whose content
//! is left over. Squared norms only where they are asked for.
void centre_rows(std::span<const float> values, const ColumnMeans& means, bool norms, CentredRows& out);

//! Rows [begin, end) of the triangles.
struct Stripe {
    std::int64_t begin = 0, end = 0;
    //! Places of its entries in a panel: whole blocks of rows, whose part on and above the diagonal is zero.
    std::int64_t entries() const;
};
//! All n rows in at most `count` stripes of about equally many entries, none without rows.
std::vector<Stripe> stripes(std::int64_t n, std::int64_t count);

//! Fills `out` (entries) fp32, contiguous, with a stripe of X X'.
void fill_gram(const at::Tensor& x, const Stripe& stripe, const at::Tensor& out);
//! Σ_e a_re b_se of panels (r, entries) and (s, entries): (r, s) in fp64.
at::Tensor panel_products(const at::Tensor& a, const at::Tensor& b);

//! What is to be added to 2 Σ_{i>j} K_ij L_ij for n(n−3) HSIC_u. REQUIRES: norms of as many examples, n > 2.
double hsic_norm_terms(std::span<const double> a, std::span<const double> b);

//! n(n−3) HSIC_u of centred rows from their features, 2 n d_x d_y operations: for n far above d.
double feature_hsic(const CentredRows& x, const CentredRows& y);

//! The alignment of three such values: no_variation where an own one is 0, not_positive below, too_few_items below four examples.
Estimate cka_from_hsic(double xy, double xx, double yy, std::int64_t n);

}  // namespace xlrm
