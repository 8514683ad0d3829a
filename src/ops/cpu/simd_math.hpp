#pragma once

#include "ops/cpu/simd.hpp"

#if XLRM_VECTOR_BYTES == 64
#include <immintrin.h>
#endif

namespace xlrm::cpu::XLRM_ISA {

//! e^r for |r| <= ln(2) / 2 (Cephes' polynomial).
XLRM_INLINE F32 exp_fraction(F32 r) {
    F32 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r + 1.0f;
}

//! e^x within 1.2 units in the last place; 0 below -87.33, infinity above 88.72.
XLRM_INLINE F32 exp(F32 x) {
    const F32 low = F32{} - 87.33654f;
#if XLRM_VECTOR_BYTES == 64
    // Not-a-number passes both bounds: the second operand is returned where they do not compare.
    const F32 bounded = _mm512_min_ps(F32{} + 100.0f, _mm512_max_ps(F32{} - 100.0f, x));
    const F32 n = _mm512_roundscale_ps(bounded * 1.44269504f, 0);
    const F32 r = bounded - n * 0.693359375f + n * 2.12194440e-4f;
    const F32 scaled = _mm512_scalef_ps(exp_fraction(r), n);
    return x < low ? F32{} : scaled;
#else
    const F32 high = F32{} + 88.72283f;
    const F32 bounded = x < low ? low : (x > high ? high : x);
    const F32 shifted = bounded * 1.44269504f + 12582912.0f;  // adding 1.5 · 2^23 rounds to an integer in the low bits
    const F32 n = shifted - 12582912.0f;
    const F32 p = exp_fraction(bounded - n * 0.693359375f + n * 2.12194440e-4f);
    // Scaled in two steps, since n = 128 has no power of its own in fp32.
    const I32 power = __builtin_convertvector(n, I32);
    const I32 half = power >> 1;
    const F32 scaled = p * bits_as<F32>((half + 127) << 23) * bits_as<F32>((power - half + 127) << 23);
    const F32 zero = F32{};
    return x < low ? zero : (x > high ? zero + __builtin_inff() : scaled);
#endif
}
XLRM_INLINE F64 exp(F64 x) {
    for (int i = 0; i < int(kLanes<double>); ++i) x[i] = __builtin_exp(x[i]);
    return x;
}

#if XLRM_VECTOR_BYTES == 64
inline constexpr float kLog2E = 1.44269504f;

//! 2^t for t up to about 1, within 2e-7 of it; 0 below -126 and for -infinity. Half of exp's work: for weights that are rounded
//! to bf16.
XLRM_INLINE F32 power_of_two(F32 t) {
    constexpr int kFraction = 0x09;  // t less its floor
    const F32 f = _mm512_reduce_ps(t, kFraction);
    F32 p = f * 1.8775767e-3f + 8.9893397e-3f;  // minimax on [0, 1) of degree 5
    p = p * f + 5.5826318e-2f;
    p = p * f + 2.4015361e-1f;
    p = p * f + 6.9315308e-1f;
    p = p * f + 9.9999994e-1f;
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(t, F32{} - 126.0f, _CMP_NLT_UQ), p, t);
}
#endif

//! Cephes' tanh: a polynomial near zero, exponentials elsewhere.
XLRM_INLINE F32 tanh(F32 x) {
    const F32 zero = F32{};
    const F32 size = x < zero ? -x : x;
    const F32 bounded = size > 9.1f ? zero + 9.1f : size;  // 1 - tanh(9.1) is below half a unit
    const F32 e = exp(bounded + bounded);
    const F32 far = 1.0f - 2.0f / (e + 1.0f);
    const F32 z = x * x;
    F32 p = z * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const F32 near = p * z * x + x;
    return size < 0.625f ? near : (x < zero ? -far : far);
}
XLRM_INLINE F64 tanh(F64 x) {
    for (int i = 0; i < int(kLanes<double>); ++i) x[i] = __builtin_tanh(x[i]);
    return x;
}

}  // namespace xlrm::cpu::XLRM_ISA
