#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight) { return at::mm(dy, weight); }

// A bf16 product is rounded once before it is added.
void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& dweight, const at::Tensor& dbias) {
    if (dy.size(0) == 0) return;
    if (x.scalar_type() == dweight.scalar_type())
        dweight.addmm_(dy.t(), x);
    else
        dweight.add_(at::mm(dy.t(), x));
    if (dbias.defined()) dbias.add_(at::sum(dy, at::IntArrayRef{0}, false, dbias.scalar_type()));
}

}  // namespace

void fill_linear(DeviceOps& ops) {
    ops.linear = linear;
    ops.pack_weight = [](const at::Tensor&) -> std::shared_ptr<const PackedWeight> { return nullptr; };
    ops.packed_linear = nullptr;
    ops.linear_backward_input = linear_backward_input;
    ops.linear_backward_weight = linear_backward_weight;
}

}  // namespace xlrm::reference
