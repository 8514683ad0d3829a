#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm::cpu {

//! Rows of a product that a library is called with are a multiple of this, where it is not our own. oneDNN compiles a kernel for
//! each number of rows, and packed batches have a new number at every step: with numbers as they come, compiling takes a fifth of
//! the time of the products and the kept kernels grow by hundreds of MB. MKL adds in another order for fewer rows.
constexpr std::int64_t kRowBlock = 64;

//! xlrm::empty_rows on the CPU: with room for further rows up to a multiple of kRowBlock behind it, so that a product can run on
//! whole blocks without a copy. What the room holds is never read back.
at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options);

//! x and the room behind it as one tensor of `rows` rows; undefined where x has no such room.
at::Tensor with_room(const at::Tensor& x, std::int64_t rows);

}  // namespace xlrm::cpu
