#pragma once

#include "ops/cpu/simd.hpp"

namespace xlrm::cpu::XLRM_ISA {

#if XLRM_VECTOR_BYTES == 64
inline constexpr int kTileRows = 8;
inline constexpr int kTileVectors = 2;
#else
inline constexpr int kTileRows = 4;
inline constexpr int kTileVectors = 2;
#endif

//! Where an operand of a product lies. An element of the left one, (row, k), is at row · row_stride + k · depth_stride; a vector
//! of the right one, (k, v), at k · depth_stride + v · vector_stride. So transposes are strides, never copies.
template <class A>
struct Left {
    const A* data;
    std::int64_t row_stride, depth_stride;
};
template <class A>
struct Right {
    const A* data;
    std::int64_t depth_stride, vector_stride;
};

template <class A, int NV, bool kAdd>
XLRM_INLINE void product_tile(Left<A> a, Right<A> b, A* c, std::int64_t c_stride, std::int64_t depth) {
    using V = typename VectorOf<A>::type;
    constexpr std::int64_t L = kLanes<A>;
    V s[kTileRows][NV];
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) s[r][v] = kAdd ? load(c + r * c_stride + v * L) : V{};
    for (std::int64_t k = 0; k < depth; ++k) {
        V right[NV];
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) right[v] = load(b.data + k * b.depth_stride + v * b.vector_stride);
#pragma GCC unroll 16
        for (int r = 0; r < kTileRows; ++r) {
            const A left = a.data[r * a.row_stride + k * a.depth_stride];
#pragma GCC unroll 16
            for (int v = 0; v < NV; ++v) s[r][v] += left * right[v];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < NV; ++v) store(c + r * c_stride + v * L, s[r][v]);
}

//! c [rows, vectors · lanes] (+)= left · right. `rows` is a multiple of kTileRows. Each element is one chain of fused
//! multiply-adds over k in order, so it depends neither on the tile nor on its place in it.
template <class A, bool kAdd>
XLRM_INLINE void product(std::int64_t rows, std::int64_t vectors, std::int64_t depth, Left<A> a, Right<A> b, A* c,
                         std::int64_t c_stride) {
    for (std::int64_t v = 0; v < vectors; v += kTileVectors) {
        const Right<A> right{b.data + v * b.vector_stride, b.depth_stride, b.vector_stride};
        for (std::int64_t r = 0; r < rows; r += kTileRows) {
            const Left<A> left{a.data + r * a.row_stride, a.row_stride, a.depth_stride};
            A* to = c + r * c_stride + v * kLanes<A>;
            if (vectors - v >= kTileVectors)
                product_tile<A, kTileVectors, kAdd>(left, right, to, c_stride, depth);
            else
                product_tile<A, 1, kAdd>(left, right, to, c_stride, depth);
        }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
