#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace xlrm {

//! Zeros [elements], for buffers as large as a model. Memory is taken at the first touch, in pages of 2 MiB where the system
//! gives them: a buffer that is filled at once is then written once, not twice, at a small part of the page faults.
at::Tensor flat_zeros(std::int64_t elements, at::ScalarType dtype);

}  // namespace xlrm
