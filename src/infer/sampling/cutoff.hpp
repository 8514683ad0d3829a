#pragma once

#include <cstdint>
#include <span>

#include "sampling/row_scan.hpp"
#include "xlrm/infer/sampling.hpp"

namespace xlrm {

//! A row with its largest value and the largest of each block.
struct RowView {
    std::span<const float> row;
    std::span<const float> maxima;
    float max = 0.0F;
};

//! Largest cutoff that keeps the `k` largest values, and all that equal the smallest of them. REQUIRES: k > 0.
Cutoff top_k_cutoff(const RowView& view, std::int64_t k);
//! Keeps a token while those before it (in the order of Cutoff) have less than `p` of the probability of all that `kept` keeps;
//! the first one always. `mass` = Σ exp(x − max) over what `kept` keeps.
Cutoff top_p_cutoff(const RowView& view, const Cutoff& kept, double mass, double p);
//! Keeps tokens with exp(x − max) >= p.
Cutoff min_p_cutoff(float max, double p);

}  // namespace xlrm
