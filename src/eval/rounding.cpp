#include "rounding.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include "xlrm/core/error.hpp"

namespace xlrm {

void append_rounded(std::span<const float> values, DType dtype, std::vector<std::byte>* out) {
    const std::size_t begin = out->size();
    out->resize(begin + values.size() * static_cast<std::size_t>(dtype_bytes(dtype)));
    std::byte* target = out->data() + begin;
    if (dtype == DType::f32) {
        std::memcpy(target, values.data(), values.size_bytes());
        return;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t bits = dtype == DType::f16 ? to_f16(values[i]) : to_bf16(values[i]);
        std::memcpy(target + 2 * i, &bits, 2);
    }
}

std::optional<float> first_overflow(std::span<const float> values, DType dtype) {
    if (dtype != DType::f16) return {};
    for (const float value : values)
        if (!(std::abs(value) <= 65504.0F)) return value;
    return {};
}

void fail_overflow(std::int64_t layer, float value) {
    fail("layer " + std::to_string(layer) + ": an activation of " + std::to_string(value) +
         " does not fit in fp16 (it would be stored as infinity); use --activation-dtype bf16 or fp32");
}

}  // namespace xlrm
