#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>

#include "xlrm/infer/generation_speed.hpp"
#include "xlrm/ops/linear.hpp"

namespace xlrm {

double product_speed(const ModelConfig& config, at::ScalarType dtype) {
    constexpr std::int64_t kRows = 64, kColumns = 4096;
    const auto options = at::TensorOptions().dtype(dtype);
    const at::Tensor x = at::ones({kRows, config.hidden}, options), weight = at::ones({kColumns, config.hidden}, options);
    double best = 0.0;
    for (int run = 0; run < 4; ++run) {
        const auto start = std::chrono::steady_clock::now();
        linear(x, weight);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        best = std::max(best, 2.0 * static_cast<double>(kRows * kColumns * config.hidden) / seconds);
    }
    return best;
}

}  // namespace xlrm
