#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Shape of the singular values σ of a matrix (n, d), descending. All depend on n: compare at equal n only.
struct Spectrum {
    Estimate effective_rank = Undefined::no_items;          //!< exp(H(p)), p = σ / Σ σ (Roy and Vetterli 2007)
    Estimate effective_rank_squared = Undefined::no_items;  //!< the same with p = σ² / Σ σ²: another number
    Estimate participation_ratio = Undefined::no_items;     //!< (Σ σ²)² / Σ σ⁴
    Estimate stable_rank = Undefined::no_items;             //!< Σ σ² / σ_1²
    std::vector<double> variance_shares;                    //!< σ² / Σ σ²
};
//! no_variation for a zero matrix.
Spectrum spectrum(const at::Tensor& x, bool centred = true);

//! Mean cosine of different rows, (|Σ u_i|² − n) / (n(n − 1)), u_i the rows at unit length, zero rows left out.
Estimate anisotropy(const at::Tensor& x);

//! Share of the mean squared norm that the `top` features with the largest mean squares have: rogue dimensions dominate cosines.
Estimate top_feature_share(const at::Tensor& x, std::int64_t top = 3);

}  // namespace xlrm
