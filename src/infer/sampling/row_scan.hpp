#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace xlrm {

//! Tokens of a row that take part. Every filter keeps a beginning of the order (logit falling, id rising among equal ones), so
//! what is kept is one place in that order.
struct Cutoff {
    float value = -std::numeric_limits<float>::infinity();
    std::int32_t last_id = std::numeric_limits<std::int32_t>::max();  //!< of the tokens that have `value`

    bool keeps(float logit, std::int32_t id) const { return logit > value || (logit == value && id <= last_id); }
    //! The one of both that keeps less.
    static Cutoff stricter(const Cutoff& a, const Cutoff& b) {
        return a.value > b.value || (a.value == b.value && a.last_id < b.last_id) ? a : b;
    }
};

//! Tokens a block; the passes below give one value a block.
inline constexpr std::int64_t kScanBlock = 128;

//! Passes over a row of logits, a few tens of microseconds for 150,000 tokens. Lanes and order of sums are fixed and no product
//! is fused with a sum, so the bits do not depend on the processor.

//! Largest value of each block; NaN is passed over.
void block_maxima(std::span<const float> row, std::vector<float>& maxima);
//! Σ exp(x − max) of each block over the tokens that are kept; x = −inf counts as 0, NaN gives NaN.
void block_sums(std::span<const float> row, float max, const Cutoff& cutoff, std::vector<double>& sums);
//! exp(x), x <= 0, to 2e-7 of its value; 0 below −87. The same function as in block_sums.
float exp_of(float x);

}  // namespace xlrm
