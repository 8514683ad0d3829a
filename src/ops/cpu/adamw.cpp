#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"

namespace xlrm::cpu {
namespace {

constexpr std::int64_t kChunk = 4096;

void adamw(const AdamwConfig& config, const at::Tensor& weight, const at::Tensor& first, const at::Tensor& second,
           const at::Tensor& gradient, const at::Tensor& weight_copy) {
    const std::int64_t n = weight.numel();
    const double step = double(config.step);
    const AdamwArgs args{data<float>(weight),
                         data<float>(first),
                         data<float>(second),
                         data<float>(gradient),
                         weight_copy.defined() ? data<std::uint16_t>(weight_copy) : nullptr,
                         float(1.0 - config.beta1),
                         float(config.beta2),
                         float(1.0 - config.beta2),
                         float(config.eps),
                         float(config.grad_scale),
                         float(1.0 - config.lr * config.weight_decay),
                         float(config.lr / (1.0 - std::pow(config.beta1, step))),
                         float(std::sqrt(1.0 - std::pow(config.beta2, step)))};
    at::parallel_for(0, (n + kChunk - 1) / kChunk, 4, [&](std::int64_t begin, std::int64_t end) {
        flat_kernels().adamw(args, begin * kChunk, std::min(n, end * kChunk));
    });
}

double sum_of_squares(const at::Tensor& values) {
    const std::int64_t n = values.numel();
    std::vector<double> partial(std::size_t((n + kChunk - 1) / kChunk));
    at::parallel_for(0, std::int64_t(partial.size()), 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c)
            partial[std::size_t(c)] =
                flat_kernels().sum_of_squares(const_data<float>(values) + c * kChunk, std::min(kChunk, n - c * kChunk));
    });
    double total = 0.0;
    for (const double part : partial) total += part;
    return total;
}

}  // namespace

void fill_adamw(DeviceOps& ops) {
    ops.adamw = adamw;
    ops.sum_of_squares = sum_of_squares;
}

}  // namespace xlrm::cpu
