#pragma once

// Vectors of one register (XLRM_VECTOR_BYTES: 64 with AVX-512, else 32) through the compiler's vector extension.
// XLRM_ISA names the namespace, so that code for different instruction sets never shares a symbol.

#include <cmath>
#include <cstring>

#include "ops/cpu/kernels.hpp"

#define XLRM_INLINE inline __attribute__((always_inline))

namespace xlrm::cpu::XLRM_ISA {

using F32 = float __attribute__((vector_size(XLRM_VECTOR_BYTES)));
using F64 = double __attribute__((vector_size(XLRM_VECTOR_BYTES)));
using I32 = std::int32_t __attribute__((vector_size(XLRM_VECTOR_BYTES)));
using U32 = std::uint32_t __attribute__((vector_size(XLRM_VECTOR_BYTES)));
using U16 = std::uint16_t __attribute__((vector_size(XLRM_VECTOR_BYTES / 2)));

template <class A>
struct VectorOf;
template <>
struct VectorOf<float> {
    using type = F32;
    using Mask = I32;
};
template <>
struct VectorOf<double> {
    using type = F64;
    using Mask = std::int64_t __attribute__((vector_size(XLRM_VECTOR_BYTES)));
};
//! The vector in which elements of T are computed.
template <class T>
using Vec = typename VectorOf<Accumulate<T>>::type;
template <class T>
inline constexpr std::int64_t kLanes = XLRM_VECTOR_BYTES / sizeof(Accumulate<T>);

XLRM_INLINE std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
XLRM_INLINE std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }
XLRM_INLINE std::int64_t round_up(std::int64_t n, std::int64_t m) { return (n + m - 1) / m * m; }

template <class T>
XLRM_INLINE Vec<T> fill(Accumulate<T> value) {
    return value - Vec<T>{};
}

template <class To, class From>
XLRM_INLINE To bits_as(const From& from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof(To));
    return to;
}

XLRM_INLINE F32 widen(U16 half) { return bits_as<F32>(__builtin_convertvector(half, U32) << 16); }

//! Nearest even; not-a-number becomes the quiet one.
XLRM_INLINE U16 round_bf16(F32 value) {
    const U32 bits = bits_as<U32>(value);
    const U32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const U32 quiet = U32{} + 0x7fc0u;
    return __builtin_convertvector(value == value ? rounded : quiet, U16);
}

template <class T>
XLRM_INLINE Vec<T> load(const T* p) {
    Vec<T> v;
    std::memcpy(&v, p, sizeof(v));
    return v;
}
template <>
XLRM_INLINE F32 load<Bf16>(const Bf16* p) {
    U16 half;
    std::memcpy(&half, p, sizeof(half));
    return widen(half);
}

template <class T>
XLRM_INLINE void store(T* p, Vec<T> v) {
    std::memcpy(p, &v, sizeof(v));
}
template <>
XLRM_INLINE void store<Bf16>(Bf16* p, F32 v) {
    const U16 half = round_bf16(v);
    std::memcpy(p, &half, sizeof(half));
}

//! The first n < kLanes elements; the other lanes are zero.
template <class T>
XLRM_INLINE Vec<T> load_part(const T* p, std::int64_t n) {
    T part[kLanes<T>] = {};
    for (std::int64_t i = 0; i < n; ++i) part[i] = p[i];
    return load(part);
}
template <class T>
XLRM_INLINE void store_part(T* p, Vec<T> v, std::int64_t n) {
    T part[kLanes<T>];
    store(part, v);
    for (std::int64_t i = 0; i < n; ++i) p[i] = part[i];
}

//! Calls body(offset, full, count) for each vector of a row of n: the tail is the same arithmetic on a padded vector.
template <class T, class Body>
XLRM_INLINE void for_row(std::int64_t n, Body body) {
    std::int64_t i = 0;
    for (; i + kLanes<T> <= n; i += kLanes<T>) body(i, kLanes<T>);
    if (i < n) body(i, n - i);
}
template <class T>
XLRM_INLINE Vec<T> load_n(const T* p, std::int64_t n) {
    return n == kLanes<T> ? load(p) : load_part(p, n);
}
template <class T>
XLRM_INLINE void store_n(T* p, Vec<T> v, std::int64_t n) {
    if (n == kLanes<T>)
        store(p, v);
    else
        store_part(p, v, n);
}

//! The value as it will be read back.
template <class T>
XLRM_INLINE Vec<T> round_to(Vec<T> v) {
    return v;
}
template <>
XLRM_INLINE F32 round_to<Bf16>(F32 v) {
    return widen(round_bf16(v));
}

//! Sum of the lanes as a fixed tree.
template <class A>
XLRM_INLINE A sum(typename VectorOf<A>::type v) {
    A x[kLanes<A>];
    std::memcpy(x, &v, sizeof(x));
    for (int half = int(kLanes<A>) / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) x[i] += x[i + half];
    return x[0];
}
template <class V>
XLRM_INLINE V larger(V a, V b) {
    return a > b ? a : b;
}
template <class A>
XLRM_INLINE A largest(typename VectorOf<A>::type v) {
    A x[kLanes<A>];
    std::memcpy(x, &v, sizeof(x));
    for (int half = int(kLanes<A>) / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) x[i] = x[i] > x[i + half] ? x[i] : x[i + half];
    return x[0];
}

}  // namespace xlrm::cpu::XLRM_ISA
