#pragma once

#include <cstdint>

#include "xlrm/model/config.hpp"
#include "xlrm/ops/segments.hpp"

namespace xlrm {

//! FLOPs that a model's arithmetic needs, a multiply-add counted as two. Causal: a token's attention is over the keys that it
//! sees. No embedding, no head, no element-wise work, nothing computed again.
//!     products     2 · tokens · L · (d·hD + 2·d·kD + hD·d + 3·d·ff)
//!     attention    4 · hD · Σ over tokens of the keys seen (within the window, where the layer has one)
//! with d = hidden, h and k = heads of queries and of keys, D = head_dim, ff = intermediate, L = layers.
double forward_flops(const ModelConfig& config, const Segments& segments);

//! Forward and backward: three times the forward pass.
inline double training_flops(const ModelConfig& config, const Segments& segments) {
    return 3.0 * forward_flops(config, segments);
}

//! Keys that the tokens see in all; window 0: all before.
double seen_keys(const Segments& segments, std::int64_t window);

}  // namespace xlrm
