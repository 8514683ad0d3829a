#include <ATen/TensorOperators.h>
#include <ATen/ops/sum.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

// Sums of products, not a matrix product: on a GPU that might be made of fewer bits (TF32).
at::Tensor reward_head(const at::Tensor& rows, const at::Tensor& weight, bool rounded) {
    const at::ScalarType sums = sum_type(rows);
    const at::Tensor scores = at::sum(rows.to(sums) * weight.to(sums), at::IntArrayRef{1});
    return rounded ? scores.to(rows.scalar_type()).to(sums) : scores;
}

at::Tensor reward_head_backward(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight,
                                const at::Tensor& dweight) {
    const at::Tensor slope = dscores.unsqueeze(1);
    dweight.add_(at::sum(slope * rows.to(dscores.scalar_type()), at::IntArrayRef{0}));
    return (slope * weight.to(dscores.scalar_type())).to(rows.scalar_type());
}

}  // namespace

void fill_head(DeviceOps& ops) {
    ops.reward_head = reward_head;
    ops.reward_head_backward = reward_head_backward;
}

}  // namespace xlrm::reference
