#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace xlrm {

//! Rotary position embedding as transformers computes it (rotate-half layout, inverse frequencies in fp32).
struct RopeConfig {
    double theta = 10000.0;
    enum class Scaling { none, linear, llama3 } scaling = Scaling::none;
    double factor = 1.0;                    //!< linear and llama3
    double low_freq_factor = 1.0;           //!< llama3
    double high_freq_factor = 4.0;          //!< llama3
    double original_max_position = 8192.0;  //!< llama3
};

struct RopeTable {
    at::Tensor cos, sin;  //!< [positions, head_dim / 2]; fp32 (values rounded to bf16 when the compute dtype is bf16), or fp64
};

//! Table for positions 0 … positions-1 and compute dtype `dtype`.
RopeTable make_rope_table(const RopeConfig& config, std::int64_t positions, std::int64_t head_dim, at::ScalarType dtype,
                          at::Device device = at::kCPU);

//! Rotates x [T, H, D] in place by positions [T] (int32); x may be a strided view of merged q/k/v. `inverse` is the backward
//! pass.
void rope(at::Tensor x, const at::Tensor& positions, const RopeTable& table, bool inverse = false);

}  // namespace xlrm
