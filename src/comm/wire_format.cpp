#include "wire_format.hpp"

#include <bit>
#include <cassert>

namespace xlrm {

namespace {

std::uint16_t rounded(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t nearest = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
    const std::uint32_t nan = (bits >> 16U) | 0x40U;
    return static_cast<std::uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : nearest);
}

float widened(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U); }

}  // namespace

void to_bf16(std::span<const float> from, std::span<std::uint16_t> to) {
    assert(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = rounded(from[i]);
}

void from_bf16(std::span<const std::uint16_t> from, std::span<float> to) {
    assert(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[i] = widened(from[i]);
}

void add_bf16(std::span<const std::uint16_t> from, std::span<float> to) {
    assert(from.size() == to.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += widened(from[i]);
}

}  // namespace xlrm
