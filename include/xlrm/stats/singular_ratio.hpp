#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How the vectors of the parallel texts are treated before the ratio. The published statistic does not say; so all are offered
//! and the name belongs to the value.
enum class RatioVariant {
    raw,                 //!< as stored; a common mean vector of all texts makes every ratio large
    centred,             //!< minus the mean over all items and languages
    row_normalised,      //!< each vector divided by its Euclidean norm (a zero vector stays zero)
    centred_normalised,  //!< first centred, then row-normalised
};
std::string name_of(RatioVariant variant);

//! f of one item: s_1 / Σ s_i for the singular values s of a (languages, features) matrix, row-major, one row for each language's
//! version of a text. 1 for collinear rows, 1/languages for orthogonal rows of equal norm. no_variation for a zero
//! matrix.
//! Through the eigenvalues of the (languages, languages) Gram matrix in double precision, so a singular value below about 1e-8 of
//! the largest is noise, and with it f beyond the eighth digit.
Estimate singular_ratio(std::span<const double> matrix, std::int64_t languages, std::int64_t features);

//! f of every item. `by_language[l]` is the (items, features) row-major matrix of language l; the same row in each is the same
//! item. Throws Error for no language, or matrices that are not (items, features).
std::vector<Estimate> singular_ratios(std::span<const std::span<const float>> by_language, std::int64_t items,
                                      std::int64_t features, RatioVariant variant);
//! Their mean; the reason of the first that has none, no_items of an empty list.
Estimate mean_ratio(std::span<const Estimate> ratios);

//! Eigenvalues of a symmetric n x n matrix in descending order, by cyclic Jacobi rotations.
std::vector<double> symmetric_eigenvalues(std::vector<double> matrix, std::int64_t n);

}  // namespace xlrm
