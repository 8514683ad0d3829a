#pragma once

#include <cstdint>
#include <span>

namespace xlrm {

//! One step of AdamW with decoupled decay (torch.optim.AdamW's formula).
struct AdamwConfig {
    double lr = 0.0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.0;
    std::int64_t step = 1;    //!< counted from 1
    double grad_scale = 1.0;  //!< multiplies the gradient first (clipping)
};

//! One pass over flat ranges of equal length, which sets the gradient to zero for the next step to add to; `weight_bf16` (the
//! compute copy) may be empty. Bits do not depend on the number of threads.
void adamw(const AdamwConfig& config, std::span<float> weight, std::span<float> first, std::span<float> second,
           std::span<float> gradient, std::span<std::uint16_t> weight_bf16 = {});

//! Sum of squares in fp64 over fixed chunks of 4096 elements: the same on any number of threads.
double sum_of_squares(std::span<const float> values);

}  // namespace xlrm
