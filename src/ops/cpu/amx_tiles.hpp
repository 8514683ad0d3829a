#pragma once

#include <immintrin.h>

#include "ops/cpu/kernels.hpp"
#include "ops/cpu/transpose.hpp"

// A tile is 16 rows of 64 bytes. dpbf16ps adds to a tile of 16 x 16 fp32 the product of a tile of 16 x 32 bf16 and one of 32 x
// 16, which lies as 16 rows of 16 words, each a pair of rows beside each other. Included by the files that are compiled for such
// processors alone.
namespace xlrm::cpu {
namespace {

struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

inline constexpr std::int64_t kTile = 512;  // bf16 elements of a tile

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

//! The first `count` of 32 columns.
inline __mmask32 first_columns(std::int64_t count) { return count >= 32 ? ~__mmask32{0} : (__mmask32{1} << count) - 1; }

//! Rows [0, 32) of 32 columns as 16 rows of pairs: left the first 16 columns, right the others. Rows from `count` on and columns
//! outside `mask` are zero and not read.
//! Whole cache lines are read once, because rows whose distance is a multiple of 4096 bytes all fall into one set of the cache.
inline void pair_rows(const Bf16* from, std::int64_t stride, std::int64_t count, __mmask32 mask, __m512i* left, __m512i* right) {
    for (std::int64_t p = 0; p < 16; ++p) {
        const Bf16* row = from + 2 * p * stride;
        const __m512i zero = _mm512_setzero_si512();
        const __m512i first = 2 * p < count ? _mm512_maskz_loadu_epi16(mask, row) : zero;
        const __m512i second = 2 * p + 1 < count ? _mm512_maskz_loadu_epi16(mask, row + stride) : zero;
        auto pair = [](__m256i low, __m256i high) {
            return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
        };
        left[p] = pair(_mm512_castsi512_si256(first), _mm512_castsi512_si256(second));
        right[p] = pair(_mm512_extracti64x4_epi64(first, 1), _mm512_extracti64x4_epi64(second, 1));
    }
}

inline void store_tiles(const __m512i* left, const __m512i* right, Bf16* to) {
    for (int i = 0; i < 16; ++i) _mm512_store_si512(to + 32 * i, left[i]);
    for (int i = 0; i < 16; ++i) _mm512_store_si512(to + kTile + 32 * i, right[i]);
}

//! 32 rows of up to 32 elements as the two tiles of a right operand whose columns they are. Rows from `count` on and elements
//! outside `mask` are zero and not read.
inline void pack_columns(const Bf16* rows, std::int64_t stride, std::int64_t count, __mmask32 mask, Bf16* to) {
    __m512i left[16], right[16];
    for (std::int64_t r = 0; r < 16; ++r) {
        left[r] = r < count ? _mm512_maskz_loadu_epi16(mask, rows + r * stride) : _mm512_setzero_si512();
        right[r] = r + 16 < count ? _mm512_maskz_loadu_epi16(mask, rows + (r + 16) * stride) : _mm512_setzero_si512();
    }
    transpose(left);
    transpose(right);
    store_tiles(left, right, to);
}

}  // namespace
}  // namespace xlrm::cpu
