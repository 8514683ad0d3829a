#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace xlrm {

//! Number formats in files and memory.
enum class DType { f32, f64, bf16, f16 };

std::int64_t dtype_bytes(DType dtype);
//! "fp32" | "fp64" | "bf16" | "fp16", as options and attributes name them. Throws Error(usage) for others.
DType parse_dtype(std::string_view name);
std::string dtype_name(DType dtype);

//! Round to nearest even. NaN stays NaN.
std::uint16_t to_bf16(float value);
inline float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
std::uint16_t to_f16(float value);
float from_f16(std::uint16_t bits);

}  // namespace xlrm
