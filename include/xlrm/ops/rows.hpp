#pragma once

#include <ATen/core/Tensor.h>

namespace xlrm {

//! Rows of a product that a library is called with are a multiple of this, where it is not our own. oneDNN compiles a kernel for
//! each number of rows, and packed batches have a new number at every step: with numbers as they come, compiling takes a fifth of
//! the time of the products and the kept kernels grow by hundreds of MB. MKL adds in another order for fewer rows.
constexpr std::int64_t kRowBlock = 64;

//! An uninitialised tensor [T, …] with room for further rows up to a multiple of kRowBlock behind it, so that a product can run
//! on whole blocks without a copy. What the room holds is never read back.
at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options);

//! x and the room behind it as one tensor of `rows` rows; undefined where x has no such room.
at::Tensor with_room(const at::Tensor& x, std::int64_t rows);

//! Rows [N, d] of x [T, d] at index [N] (int64).
at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index);

//! The transpose: dx [T, d] += rows of dy [N, d] at index, in order.
void scatter_add_rows(const at::Tensor& dy, const at::Tensor& index, at::Tensor dx);

//! Mean over token ranges: out [N, d] fp32 (fp64) = mean of x's rows [begin[i], end[i]); sums in order, in fp32 (fp64). An empty
//! range gives zeros.
at::Tensor segment_mean(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end);

}  // namespace xlrm
