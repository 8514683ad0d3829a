#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

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

//! One pass over flat fp32 ranges of equal length, which sets the gradient to zero for the next step to add to; `weight_copy`
//! (bf16, that which computes) may be undefined. Bits do not depend on the number of threads.
void adamw(const AdamwConfig& config, at::Tensor weight, at::Tensor first, at::Tensor second, at::Tensor gradient,
           at::Tensor weight_copy = {});

//! Of fp32 values, in fp64. On the CPU over fixed chunks of 4096 elements: the same on any number of threads. Waits for the
//! device.
double sum_of_squares(const at::Tensor& values);

}  // namespace xlrm
