#pragma once

#include "ops/cpu/simd.hpp"

namespace xlrm::cpu::XLRM_ISA {

XLRM_INLINE F32 square_root(F32 x) {
    for (int i = 0; i < int(kLanes<float>); ++i) x[i] = __builtin_sqrtf(x[i]);
    return x;
}

inline void adamw(const AdamwArgs& args, std::int64_t begin, std::int64_t end) {
    auto update = [&](std::int64_t i, std::int64_t n) {
        const F32 g = load_n(args.gradient + i, n) * args.grad_scale;
        F32 m = load_n(args.first + i, n);
        m += (g - m) * args.first_share;
        const F32 v = load_n(args.second + i, n) * args.beta2 + g * g * args.second_share;
        const F32 denominator = square_root(v) / args.second_root + args.eps;
        const F32 w = load_n(args.weight + i, n) * args.decay - m / denominator * args.step_size;
        store_n(args.first + i, m, n);
        store_n(args.second + i, v, n);
        store_n(args.weight + i, w, n);
        store_n(args.gradient + i, F32{}, n);
        if (args.weight_bf16 != nullptr) store_n(reinterpret_cast<Bf16*>(args.weight_bf16) + i, w, n);
    };
    for_row<float>(end - begin, [&](std::int64_t i, std::int64_t n) { update(begin + i, n); });
}

//! Squares are exact in fp64.
inline double sum_of_squares(const float* x, std::int64_t n) {
    using Half = float __attribute__((vector_size(XLRM_VECTOR_BYTES / 2)));
    constexpr std::int64_t L = kLanes<double>;
    F64 s0{}, s1{};
    std::int64_t i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
        Half a, b;
        std::memcpy(&a, x + i, sizeof(a));
        std::memcpy(&b, x + i + L, sizeof(b));
        const F64 wide_a = __builtin_convertvector(a, F64);
        const F64 wide_b = __builtin_convertvector(b, F64);
        s0 += wide_a * wide_a;
        s1 += wide_b * wide_b;
    }
    double total = sum<double>(s0 + s1);
    for (; i < n; ++i) total += double(x[i]) * double(x[i]);
    return total;
}

}  // namespace xlrm::cpu::XLRM_ISA
