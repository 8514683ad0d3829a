#pragma once

#include "ops/cpu/amx_tiles.hpp"

// A product of rows in blocks of 32 x 32: the columns of w lie packed in tiles, the rows of x are read where they are.
namespace xlrm::cpu {
namespace {

//! Elements of w that are packed at a time: 1 MiB, half of the second-level cache.
inline constexpr std::int64_t kPacked = 512 * 1024;

inline std::int64_t up_to_32(std::int64_t n) { return (n + 31) / 32 * 32; }

//! Columns of w that are packed at a time.
inline std::int64_t block_columns(std::int64_t k) {
    const std::int64_t fit = kPacked / up_to_32(k) / 32 * 32;
    return fit > 32 ? fit : 32;
}

//! 32 rows of `rows` [count, k] as rows of k rounded up to 32; what lies outside is zero.
inline void copy_rows(const Bf16* rows, std::int64_t stride, std::int64_t count, std::int64_t k, Bf16* to) {
    for (std::int64_t r = 0; r < 32; ++r)
        for (std::int64_t i = 0; i < k; i += 32, to += 32)
            _mm512_store_si512(to, r < count ? _mm512_maskz_loadu_epi16(first_columns(k - i), rows + r * stride + i)
                                             : _mm512_setzero_si512());
}

//! Up to 32 rows, where they are or, where they do not fill their tiles, as a padded copy.
struct RowBlock {
    const Bf16* data;
    std::int64_t stride, count;
};
inline RowBlock row_block(const Bf16* rows, std::int64_t stride, std::int64_t count, std::int64_t k, Bf16* copied) {
    if (count == 32 && k % 32 == 0) return {rows, stride, count};
    copy_rows(rows, stride, count, k, copied);
    return {copied, up_to_32(k), count};
}

//! sums [32, 32] = 32 rows of x · the packed columns.
inline void multiply_block(const Bf16* x, std::int64_t x_stride, const Bf16* packed, std::int64_t steps, float* sums) {
    const std::int64_t bytes = x_stride * std::int64_t(sizeof(Bf16));
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::int64_t s = 0; s < steps; ++s, x += 32, packed += 2 * kTile) {
        _tile_loadd(4, x, bytes);
        _tile_loadd(6, packed, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, packed + kTile, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + 16 * x_stride, bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, 128);
    _tile_stored(1, sums + 16, 128);
    _tile_stored(2, sums + 16 * 32, 128);
    _tile_stored(3, sums + 16 * 32 + 16, 128);
}

//! Nearest even; not-a-number becomes the quiet one.
inline __m256i round_bf16(__m512 value) {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc0)));
}

inline __m512 widen(__m256i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)); }

}  // namespace
}  // namespace xlrm::cpu
