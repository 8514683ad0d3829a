#pragma once

#include <ATen/core/Tensor.h>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! How a model's states h (n, d) moved from its base's h0, rows the same examples; both have the base's coordinates, so raw
//! vectors may be compared. D_i = h_i − h0_i.
struct Shift {
    Estimate cosine = Undefined::no_items;          //!< mean cos(h0_i, h_i)
    Estimate centred_cosine = Undefined::no_items;  //!< the same after each side's mean is taken away
    Estimate relative = Undefined::no_items;        //!< median |D_i| / |h0_i|; below 0.0024 it is rounding where both are bf16
    Estimate mean_relative = Undefined::no_items;   //!< mean |D_i| / |h0_i|
    Estimate norm = Undefined::no_items;            //!< mean log(|h_i| / |h0_i|)
    Estimate coherence = Undefined::no_items;       //!< |mean D|² / mean |D_i|²: 1 = one common translation
};
//! no_variation where a row of either side is zero, or (coherence alone) nothing moved.
Shift shift(const at::Tensor& base, const at::Tensor& model);

//! Cosine of the mean shifts of two languages, or of one and the reward head's weight: vectors (d).
Estimate direction_cosine(const at::Tensor& a, const at::Tensor& b);

//! Correlation of the rewards of two heads on the same features: w1'Cw2 / sqrt(w1'Cw1 w2'Cw2), C the covariance of X (n, d). The
//! raw cosine of two heads says nothing where features are correlated.
Estimate covariance_cosine(const at::Tensor& x, const at::Tensor& w1, const at::Tensor& w2);

}  // namespace xlrm
