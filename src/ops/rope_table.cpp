#include "xlrm/ops/rope.hpp"

#include <ATen/ops/empty.h>

#include <cmath>
#include <numbers>

#include "ops/sum_type.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {
namespace {

//! Inverse frequency i of head_dim / 2, all in fp32 as transformers has it.
float inverse_frequency(const RopeConfig& config, std::int64_t i, std::int64_t head_dim) {
    const float exponent = float(2 * i) / float(head_dim);
    const float plain = 1.0f / float(std::pow(config.theta, double(exponent)));
    if (config.scaling == RopeConfig::Scaling::none) return plain;
    if (config.scaling == RopeConfig::Scaling::linear) return plain / float(config.factor);
    // Llama 3: long waves are slowed by the factor, short ones kept, those between blended.
    const float wave = 2.0f * std::numbers::pi_v<float> / plain;
    const float longest = float(config.original_max_position / config.low_freq_factor);
    const float shortest = float(config.original_max_position / config.high_freq_factor);
    if (wave > longest) return plain / float(config.factor);
    if (wave < shortest) return plain;
    const float smooth = (float(config.original_max_position) / wave - float(config.low_freq_factor)) /
                         float(config.high_freq_factor - config.low_freq_factor);
    return (1.0f - smooth) * plain / float(config.factor) + smooth * plain;
}

float rounded_to(at::ScalarType dtype, double value) {
    return dtype == at::kBFloat16 ? float(c10::BFloat16(float(value))) : float(value);
}

}  // namespace

RopeTable make_rope_table(const RopeConfig& config, std::int64_t positions, std::int64_t head_dim, at::ScalarType dtype,
                          at::Device device) {
    const std::int64_t half = head_dim / 2;
    const at::TensorOptions options = at::TensorOptions().dtype(sum_type(dtype));
    RopeTable table{at::empty({positions, half}, options), at::empty({positions, half}, options)};
    for (std::int64_t i = 0; i < half; ++i) {
        const float frequency = inverse_frequency(config, i, head_dim);
        for (std::int64_t p = 0; p < positions; ++p) {
            const double angle = double(float(p) * frequency);
            if (dtype == at::kDouble) {
                table.cos.data_ptr<double>()[p * half + i] = std::cos(angle);
                table.sin.data_ptr<double>()[p * half + i] = std::sin(angle);
            } else {
                table.cos.data_ptr<float>()[p * half + i] = rounded_to(dtype, std::cos(angle));
                table.sin.data_ptr<float>()[p * half + i] = rounded_to(dtype, std::sin(angle));
            }
        }
    }
    send(device, {&table.cos, &table.sin});
    return table;
}

}  // namespace xlrm
