#include <ATen/TensorOperators.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>

#include <cmath>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

// As torch.optim.AdamW writes it (torch/optim/adamw.py, _single_tensor_adamw).
void adamw(const AdamwConfig& config, const at::Tensor& weight, const at::Tensor& first, const at::Tensor& second,
           const at::Tensor& gradient, const at::Tensor& weight_copy) {
    const double step = static_cast<double>(config.step);
    const at::Tensor g = gradient * config.grad_scale;
    first.add_(g - first, 1.0 - config.beta1);
    second.mul_(config.beta2).addcmul_(g, g, 1.0 - config.beta2);
    const at::Tensor root = at::sqrt(second) / std::sqrt(1.0 - std::pow(config.beta2, step)) + config.eps;
    weight.mul_(1.0 - config.lr * config.weight_decay);
    weight.addcdiv_(first, root, -config.lr / (1.0 - std::pow(config.beta1, step)));
    gradient.zero_();
    if (weight_copy.defined()) weight_copy.copy_(weight);
}

double sum_of_squares(const at::Tensor& values) {
    const at::Tensor wide = values.to(at::kDouble);
    return at::sum(wide * wide).item<double>();
}

}  // namespace

void fill_adamw(DeviceOps& ops) {
    ops.adamw = adamw;
    ops.sum_of_squares = sum_of_squares;
}

}  // namespace xlrm::reference
