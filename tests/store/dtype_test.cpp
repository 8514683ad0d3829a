#include "xlrm/store/dtype.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "support/expect_error.hpp"

namespace xlrm {
namespace {

//! Nearest of all finite values of a 16-bit format, ties to the even code, by search: independent of the conversion.
std::uint16_t nearest(float value, float (*decode)(std::uint16_t), std::uint16_t infinity) {
    const float magnitude = std::fabs(value);
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
    std::uint16_t low = 0;
    std::uint16_t high = infinity;  // codes grow with their value
    while (high - low > 1) {
        const auto middle = static_cast<std::uint16_t>((low + high) / 2);
        (static_cast<double>(decode(middle)) <= static_cast<double>(magnitude) ? low : high) = middle;
    }
    const double below = decode(low);
    // The step to "infinity" is that to the next power of two.
    const double above =
        high == infinity ? 2 * below - static_cast<double>(decode(static_cast<std::uint16_t>(low - 1))) : decode(high);
    const double down = static_cast<double>(magnitude) - below;
    const double up = above - static_cast<double>(magnitude);
    const bool take_low = down < up || (down == up && low % 2 == 0);
    return static_cast<std::uint16_t>(sign | (take_low ? low : high));
}

TEST(DType, SixteenBitCodesSurviveARoundTrip) {
    for (std::uint32_t code = 0; code < 0x10000U; ++code) {
        const auto bits = static_cast<std::uint16_t>(code);
        if (!std::isnan(from_bf16(bits))) {
            EXPECT_EQ(to_bf16(from_bf16(bits)), bits);
        }
        if (!std::isnan(from_f16(bits))) {
            EXPECT_EQ(to_f16(from_f16(bits)), bits);
        }
    }
}

TEST(DType, RoundsToNearestEven) {
    std::uint32_t state = 12345;
    for (int i = 0; i < 200000; ++i) {
        state = state * 1664525U + 1013904223U;
        std::uint32_t bits = state;
        if (i % 2 == 0) bits = (bits & 0x8fffffffU) | 0x30000000U;  // half of them where fp16 lives
        if (i % 3 == 0) bits &= ~0xfffU;                            // ties of fp16
        if (i % 5 == 0) bits = (bits & ~0xffffU) | 0x8000U;         // ties of bf16
        const float value = std::bit_cast<float>(bits);
        if (!std::isfinite(value)) continue;
        EXPECT_EQ(to_bf16(value), nearest(value, from_bf16, 0x7f80)) << std::hexfloat << value;
        EXPECT_EQ(to_f16(value),
                  std::fabs(value) >= 65520.0F ? (std::signbit(value) ? 0xfc00 : 0x7c00) : nearest(value, from_f16, 0x7c00))
            << std::hexfloat << value;
    }
}

TEST(DType, KnownCodesOfIeee754) {
    EXPECT_EQ(from_f16(0x3555), 0.333251953125F);
    EXPECT_EQ(from_f16(0x7bff), 65504.0F);
    EXPECT_EQ(from_f16(0x0001), std::ldexp(1.0F, -24));
    EXPECT_EQ(from_bf16(0x3eab), 0.333984375F);
    EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), 0x7f80);
    EXPECT_EQ(to_f16(std::numeric_limits<float>::infinity()), 0x7c00);
    EXPECT_TRUE(std::isnan(from_bf16(to_bf16(std::bit_cast<float>(0x7f800001U)))));
    EXPECT_TRUE(std::isnan(from_f16(to_f16(std::bit_cast<float>(0xff800001U)))));
}

TEST(DType, NamesAreThoseOfTheOptions) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
    EXPECT_EQ(dtype_bytes(DType::bf16), 2);
    EXPECT_EQ(dtype_bytes(DType::f64), 8);
    expect_error([] { parse_dtype("float"); }, {"float", "bf16"});
}

}  // namespace
}  // namespace xlrm
