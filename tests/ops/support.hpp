#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "xlrm/ops/segments.hpp"

namespace xlrm::test {

//! Standard normal values from `seed`, made in fp64 and then rounded, so that all dtypes see the same numbers.
at::Tensor normal(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType dtype = at::kDouble);
at::Tensor ints(const std::vector<std::int32_t>& values);
at::Tensor longs(const std::vector<std::int64_t>& values);
at::Tensor zeros(at::IntArrayRef shape, at::ScalarType dtype);

//! Norm of the difference over the norm of `expected`, in fp64.
double difference(const at::Tensor& actual, const at::Tensor& expected);

//! Whether shape, dtype and every bit agree.
bool same_bits(const at::Tensor& a, const at::Tensor& b);

//! Gradients of sum(f(inputs) · dy) with respect to the inputs by libtorch's autograd.
std::vector<at::Tensor> autograd(const std::function<at::Tensor(const std::vector<at::Tensor>&)>& f,
                                 std::vector<at::Tensor> inputs, const at::Tensor& dy);

//! Bound on `difference` for kernels that round to `dtype` a few times.
double tolerance(at::ScalarType dtype);

//! Runs body with `threads` threads in libtorch, then goes back to one.
void with_threads(int threads, const std::function<void()>& body);

inline const std::vector<at::ScalarType> kDtypes{at::kDouble, at::kFloat, at::kBFloat16};

}  // namespace xlrm::test
