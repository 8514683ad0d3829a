#pragma once

// Matrix tiles (AMX) in software, so that the kernels' own sources run on processors with AVX-512 alone. Included in front of
// those sources by the compiler (-include): the names of the intrinsics become those of the functions here.

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace xlrm::emulated {

struct Tile {
    float words[16][16];
};
inline thread_local Tile tiles[8];
inline thread_local bool configured = false;

//! A tile is only read or written between loadconfig and release, as on the processor.
inline Tile& tile(int index) {
    if (!configured) __builtin_trap();
    return tiles[index];
}
inline void load_config(const void* config) {
    const auto* bytes = static_cast<const std::uint8_t*>(config);
    if (bytes[0] != 1) __builtin_trap();
    for (int i = 0; i < 8; ++i)
        if (bytes[16 + 2 * i] != 64 || bytes[48 + i] != 16) __builtin_trap();  // the kernels know whole tiles alone
    configured = true;
    std::memset(tiles, 0, sizeof tiles);
}
inline void release() { configured = false; }
inline void zero(int index) { std::memset(&tile(index), 0, sizeof(Tile)); }
inline void load(int index, const void* from, std::int64_t stride) {
    Tile& to = tile(index);
    for (int row = 0; row < 16; ++row) std::memcpy(to.words[row], static_cast<const char*>(from) + row * stride, 64);
}
inline void store(int index, void* to, std::int64_t stride) {
    const Tile& from = tile(index);
    for (int row = 0; row < 16; ++row) std::memcpy(static_cast<char*>(to) + row * stride, from.words[row], 64);
}

inline float low_half(float word) {
    std::uint32_t bits;
    std::memcpy(&bits, &word, 4);
    bits <<= 16;
    std::memcpy(&word, &bits, 4);
    return word;
}
inline float high_half(float word) {
    std::uint32_t bits;
    std::memcpy(&bits, &word, 4);
    bits &= 0xffff0000u;
    std::memcpy(&word, &bits, 4);
    return word;
}
//! TDPBF16PS (Intel, Architecture Instruction Set Extensions): a row's products of a tile are summed, then added.
inline void dot_product(int sums, int left, int right) {
    Tile &s = tile(sums), &a = tile(left), &b = tile(right);
    float low[16][16], high[16][16];
    for (int k = 0; k < 16; ++k)
        for (int n = 0; n < 16; ++n) low[k][n] = low_half(b.words[k][n]), high[k][n] = high_half(b.words[k][n]);
    for (int m = 0; m < 16; ++m) {
        float total[16] = {};
        for (int k = 0; k < 16; ++k) {
            const float first = low_half(a.words[m][k]), second = high_half(a.words[m][k]);
            for (int n = 0; n < 16; ++n) total[n] = second * high[k][n] + (first * low[k][n] + total[n]);
        }
        for (int n = 0; n < 16; ++n) s.words[m][n] += total[n];
    }
}

//! VCVTNE2PS2BF16: to nearest even, not-a-number quiet; `low` fills the lower half.
inline __m512i round_two(__m512 high, __m512 low) {
    const auto round = [](__m512 x) {
        const __m512i bits = _mm512_castps_si512(x);
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
        const __m512i quiet = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
        return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), quiet));
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(round(low)), round(high), 1);
}

}  // namespace xlrm::emulated

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) xlrm::emulated::load_config(config)
#define _tile_release() xlrm::emulated::release()
#define _tile_zero(index) xlrm::emulated::zero(index)
#define _tile_loadd(index, from, stride) xlrm::emulated::load(index, from, stride)
#define _tile_stream_loadd(index, from, stride) xlrm::emulated::load(index, from, stride)
#define _tile_stored(index, to, stride) xlrm::emulated::store(index, to, stride)
#define _tile_dpbf16ps(sums, left, right) xlrm::emulated::dot_product(sums, left, right)
#define _mm512_cvtne2ps_pbh(high, low) xlrm::emulated::round_two(high, low)
