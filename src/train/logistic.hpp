#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/sigmoid.h>

#include <algorithm>
#include <cmath>

namespace xlrm {

//! What losses are made of, for one number on the host and for fp64 tensors on a device, so that a formula is written once for
//! both. The host's are the C++ library's, which need not give ATen's last bit.

//! log(1 + exp(x)) without overflow, and its slope 1 / (1 + exp(-x)).
inline double soft_plus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
inline at::Tensor soft_plus(const at::Tensor& x) { return x.clamp_min(0.0) + at::log1p(at::exp(-x.abs())); }
inline double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline at::Tensor logistic(const at::Tensor& x) { return at::sigmoid(x); }

//! max(0, x).
inline double positive_part(double x) { return std::max(0.0, x); }
inline at::Tensor positive_part(const at::Tensor& x) { return x.clamp_min(0.0); }

//! `value` where x > 0, else 0.
inline double where_positive(double x, double value) { return x > 0.0 ? value : 0.0; }
inline at::Tensor where_positive(const at::Tensor& x, double value) { return (x > 0.0).to(x.scalar_type()) * value; }

}  // namespace xlrm
