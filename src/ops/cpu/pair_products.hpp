#pragma once

#include "ops/cpu/kernels.hpp"

namespace xlrm::cpu {

//! bf16 products with packed weights by the dot products of pairs of AVX512-BF16, for weights whose products the library makes
//! with the same instructions: each sum is of one chain over the pairs in order, or over each part of a deep weight as the
//! library divides it, but nothing is packed or compiled at each call. To be called on such processors alone; null where the
//! compiler does not know them.
const PackedProducts<Bf16>* pair_products();

}  // namespace xlrm::cpu
