#include "xlrm/store/dtype.hpp"

#include <bit>

#include "xlrm/core/error.hpp"

namespace xlrm {

std::int64_t dtype_bytes(DType dtype) {
    switch (dtype) {
        case DType::f64:
            return 8;
        case DType::f32:
            return 4;
        case DType::bf16:
        case DType::f16:
            return 2;
    }
    fail("unknown number format " + std::to_string(static_cast<int>(dtype)));
}

DType parse_dtype(std::string_view name) {
    if (name == "fp32") return DType::f32;
    if (name == "fp64") return DType::f64;
    if (name == "bf16") return DType::bf16;
    if (name == "fp16") return DType::f16;
    fail("unknown number format '" + std::string(name) + "': use fp32, fp64, bf16 or fp16", ExitCode::usage);
}

std::string dtype_name(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return "fp32";
        case DType::f64:
            return "fp64";
        case DType::bf16:
            return "bf16";
        case DType::f16:
            return "fp16";
    }
    fail("unknown number format " + std::to_string(static_cast<int>(dtype)));
}

std::uint16_t to_bf16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    // A NaN whose payload lies in the lower half would round to infinity.
    if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    const std::uint32_t even = (bits >> 16) & 1U;
    return static_cast<std::uint16_t>((bits + 0x7fffU + even) >> 16);
}

std::uint16_t to_f16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);
    if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65520 and above round to infinity
    if (magnitude < 0x38800000U) {                                                    // below 2^-14: steps of 2^-24
        if (magnitude < 0x33000000U) return sign;                                     // below 2^-25
        const std::uint32_t exponent = magnitude >> 23;
        const std::uint32_t mantissa = (magnitude & 0x7fffffU) | 0x800000U;
        const std::uint32_t shift = 126U - exponent;  // 14 … 24
        const std::uint32_t half = 1U << (shift - 1U);
        const std::uint32_t even = (mantissa >> shift) & 1U;
        return static_cast<std::uint16_t>(sign | ((mantissa + half - 1U + even) >> shift));
    }
    const std::uint32_t even = (magnitude >> 13) & 1U;
    const std::uint32_t rebiased = magnitude - ((127U - 15U) << 23);
    return static_cast<std::uint16_t>(sign | ((rebiased + 0xfffU + even) >> 13));
}

float from_f16(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fU;
    const std::uint32_t mantissa = bits & 0x3ffU;
    if (exponent == 0x1fU) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (mantissa << 13));
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
}

}  // namespace xlrm
