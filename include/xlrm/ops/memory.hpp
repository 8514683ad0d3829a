#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace xlrm {

//! Zeros [elements], for buffers as large as a model. On the host memory is taken at the first touch, in pages of 2 MiB where the
//! system gives them: a buffer that is filled at once is then written once, not twice, at a small part of the page faults.
at::Tensor flat_zeros(std::int64_t elements, at::ScalarType dtype, at::Device device = at::kCPU);

//! An uninitialised tensor [T, …] in the form in which the device's products take rows best; what surrounds the rows is the
//! device's matter.
at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options);

//! Whether the host reads and writes the device's tensors where they lie. The three functions below then cost nothing.
bool on_host(at::Device device);

//! The tensor as the host reads and writes it: itself, or a copy of what it holds when all that was given to the device is done.
at::Tensor to_host(const at::Tensor& tensor);

//! Gives to `to` what was written into `host`, which to_host(to) gave.
void from_host(const at::Tensor& host, const at::Tensor& to);

//! Tensors that were filled on the host become the device's: all in one copy. Undefined ones stay so.
void send(at::Device device, const std::vector<at::Tensor*>& tensors);

}  // namespace xlrm
