#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "xlrm/store/dtype.hpp"

namespace xlrm {

//! Appends the values as bits of `dtype`.
void append_rounded(std::span<const float> values, DType dtype, std::vector<std::byte>* out);

//! The first value that would become infinite in `dtype`, or is no number where that is fp16.
std::optional<float> first_overflow(std::span<const float> values, DType dtype);

//! Throws Error about such a value.
[[noreturn]] void fail_overflow(std::int64_t layer, float value);

}  // namespace xlrm
