#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "xlrm/stats/estimate.hpp"

namespace xlrm {

//! Orthogonal Procrustes similarity of X (n, d_x) and Y (n, d_y), rows the same examples: s = nuclear norm of Xn' Yn with Xn = Xc
//! / |Xc|_F, Xc column-centred. 1 = equal up to rotation, scale and translation. A metric: angle arccos s; distance sqrt(2 − 2s).
//! Never debiased: show it beside a permutation null. no_variation where a side is constant.
struct Procrustes {
    Estimate similarity = Undefined::no_items;
    Estimate angle = Undefined::no_items;
    Estimate distance = Undefined::no_items;
};
Procrustes procrustes(const at::Tensor& x, const at::Tensor& y);

//! What it takes of one side, for sides that are compared with many: Xn, of more features than examples in as many columns as
//! examples (rotated, which changes nothing). None of a constant side.
std::optional<at::Tensor> procrustes_side(const at::Tensor& x);
//! Of two such sides: the singular values of (min(n, d_x), min(n, d_y)).
Procrustes procrustes_of_sides(const at::Tensor& x, const at::Tensor& y);

}  // namespace xlrm
