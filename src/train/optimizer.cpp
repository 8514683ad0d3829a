#include "optimizer.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "xlrm/ops/adamw.hpp"

namespace xlrm {

std::span<float> floats(const at::Tensor& tensor) {
    assert(tensor.scalar_type() == at::kFloat && tensor.is_contiguous());
    return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

Optimizer::Optimizer(const ParameterLayout& layout, const TrainOptions& options)
    : first(at::zeros({layout.total}, at::TensorOptions().dtype(at::kFloat))),
      second(at::zeros({layout.total}, at::TensorOptions().dtype(at::kFloat))),
      beta1_(options.beta1), beta2_(options.beta2), eps_(options.eps), weight_decay_(options.weight_decay), clip_(options.clip) {
    for (const ParameterInfo& info : layout.tensors) {
        const bool decay = info.decay && weight_decay_ != 0.0;
        const bool joins = !parts_.empty() && parts_.back().decay == decay && parts_.back().begin + parts_.back().count == info.offset;
        if (joins) parts_.back().count += info.elements;
        else parts_.push_back({info.offset, info.elements, decay});
    }
}

double Optimizer::norm(const at::Tensor& gradient) { return std::sqrt(sum_of_squares(floats(gradient))); }

void Optimizer::step(std::int64_t step, double lr, double norm, const at::Tensor& gradient, const at::Tensor& weights,
                     const at::Tensor& compute) {
    AdamwConfig config{.lr = lr, .beta1 = beta1_, .beta2 = beta2_, .eps = eps_, .weight_decay = 0.0, .step = step, .grad_scale = 1.0};
    if (clip_ > 0.0) config.grad_scale = std::min(1.0, clip_ / (norm + 1e-6));
    const bool copies = compute.scalar_type() == at::kBFloat16;
    for (const Part& part : parts_) {
        config.weight_decay = part.decay ? weight_decay_ : 0.0;
        const auto cut = [&](const at::Tensor& t) {
            return floats(t).subspan(static_cast<std::size_t>(part.begin), static_cast<std::size_t>(part.count));
        };
        std::span<std::uint16_t> copy;
        if (copies) copy = {static_cast<std::uint16_t*>(compute.data_ptr()) + part.begin, static_cast<std::size_t>(part.count)};
        adamw(config, cut(weights), cut(first), cut(second), cut(gradient), copy);
    }
}

}  // namespace xlrm
