#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! LSAR (Xie et al. 2022): what of the languages' means is language, and what they share. M = languages' means as columns (d, L):
//! c = mean column, rank-r fit of M − c, c' from the pseudo-inverse of that fit (c'ᵀ(M̂ − c') = 0, so c' is orthogonal to the
//! subspace), rank-r basis of M̂ − c'.
struct LanguageSubspace {
    at::Tensor common;  //!< (d) c'
    at::Tensor basis;   //!< (d, r) orthonormal columns
};
//! `means`: (L, d) fp64, a row a language. Throws Error unless 1 <= rank <= L − 1.
LanguageSubspace language_subspace(const at::Tensor& means, std::int64_t rank);

//! Rows without their part in the subspace.
at::Tensor without_subspace(const at::Tensor& x, const at::Tensor& basis);

//! |Uaᵀ Ub|²_F / k of the first k principal directions of two centred matrices; chance k/d. not_identified unless both have k.
Estimate subspace_overlap(const at::Tensor& a, const at::Tensor& b, std::int64_t k);

}  // namespace xlrm
