#include "xlrm/ops/adamw.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "ops/cpu/kernels.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kChunk = 4096;

}  // namespace

void adamw(const AdamwConfig& config, std::span<float> weight, std::span<float> first, std::span<float> second,
           std::span<float> gradient, std::span<std::uint16_t> weight_bf16) {
    const ProfileScope scope("adamw");
    const std::int64_t n = std::int64_t(weight.size());
    assert(first.size() == weight.size() && second.size() == weight.size() && gradient.size() == weight.size());
    assert(weight_bf16.empty() || weight_bf16.size() == weight.size());
    const double step = double(config.step);
    const cpu::AdamwArgs args{weight.data(),
                              first.data(),
                              second.data(),
                              gradient.data(),
                              weight_bf16.empty() ? nullptr : weight_bf16.data(),
                              float(1.0 - config.beta1),
                              float(config.beta2),
                              float(1.0 - config.beta2),
                              float(config.eps),
                              float(config.grad_scale),
                              float(1.0 - config.lr * config.weight_decay),
                              float(config.lr / (1.0 - std::pow(config.beta1, step))),
                              float(std::sqrt(1.0 - std::pow(config.beta2, step)))};
    at::parallel_for(0, (n + kChunk - 1) / kChunk, 4, [&](std::int64_t begin, std::int64_t end) {
        cpu::flat_kernels().adamw(args, begin * kChunk, std::min(n, end * kChunk));
    });
}

double sum_of_squares(std::span<const float> values) {
    const ProfileScope scope("sum of squares");
    const std::int64_t n = std::int64_t(values.size());
    std::vector<double> partial(std::size_t((n + kChunk - 1) / kChunk));
    at::parallel_for(0, std::int64_t(partial.size()), 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c)
            partial[std::size_t(c)] =
                cpu::flat_kernels().sum_of_squares(values.data() + c * kChunk, std::min(kChunk, n - c * kChunk));
    });
    double total = 0.0;
    for (const double part : partial) total += part;
    return total;
}

}  // namespace xlrm
