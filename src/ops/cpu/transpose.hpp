#pragma once

#include <immintrin.h>

namespace xlrm::cpu {
namespace {

//! Transposes 16 x 16 words: within blocks of 4 x 4, then the blocks.
inline void transpose(__m512i* w) {
    __m512i a[16];
    for (int i = 0; i < 16; i += 4) {
        const __m512i low01 = _mm512_unpacklo_epi32(w[i], w[i + 1]), high01 = _mm512_unpackhi_epi32(w[i], w[i + 1]);
        const __m512i low23 = _mm512_unpacklo_epi32(w[i + 2], w[i + 3]), high23 = _mm512_unpackhi_epi32(w[i + 2], w[i + 3]);
        a[i] = _mm512_unpacklo_epi64(low01, low23);
        a[i + 1] = _mm512_unpackhi_epi64(low01, low23);
        a[i + 2] = _mm512_unpacklo_epi64(high01, high23);
        a[i + 3] = _mm512_unpackhi_epi64(high01, high23);
    }
    for (int j = 0; j < 4; ++j) {
        const __m512i even01 = _mm512_shuffle_i32x4(a[j], a[j + 4], 0x88), odd01 = _mm512_shuffle_i32x4(a[j], a[j + 4], 0xdd);
        const __m512i even23 = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0x88),
                      odd23 = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0xdd);
        w[j] = _mm512_shuffle_i32x4(even01, even23, 0x88);
        w[j + 8] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
        w[j + 4] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
        w[j + 12] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
    }
}

}  // namespace
}  // namespace xlrm::cpu
