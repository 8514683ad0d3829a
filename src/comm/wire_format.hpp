#pragma once

#include <cstdint>
#include <span>

namespace xlrm {

//! fp32 → bf16, to nearest, ties to even; infinities stay, a NaN stays a (quiet) NaN. Sizes must agree.
void to_bf16(std::span<const float> from, std::span<std::uint16_t> to);
//! bf16 → fp32, exact.
void from_bf16(std::span<const std::uint16_t> from, std::span<float> to);
//! to += from, in fp32.
void add_bf16(std::span<const std::uint16_t> from, std::span<float> to);

}  // namespace xlrm
