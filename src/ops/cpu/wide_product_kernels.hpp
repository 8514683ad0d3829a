#pragma once

#include "ops/cpu/product.hpp"

#if XLRM_VECTOR_BYTES == 64
#include "ops/cpu/transpose.hpp"
#endif

// bf16 products in fp32 vectors: operands are widened, which is exact, where they are packed. The right one lies in panels of kPanel
// columns, [depth, kPanel]; the left one in strips of kTileRows rows.
namespace xlrm::cpu::XLRM_ISA {

inline constexpr std::int64_t kPanel = kTileVectors * kLanes<float>;
//! Widened elements of the right operand at a time: half of a usual second-level cache.
inline constexpr std::int64_t kPackedPart = XLRM_VECTOR_BYTES == 64 ? 128 * 1024 : 32 * 1024;
//! Longest depth at a time: a strip stays in the first-level cache.
inline constexpr std::int64_t kDepth = 1024;
//! Rows at a time where the depth is divided, since their sums wait in scratch.
inline constexpr std::int64_t kWaitingRows = 512;
inline constexpr std::int64_t kTokens = 256;  //!< of a weight gradient at a time

//! Part of the depth, [first, first + count).
struct DepthPart {
    std::int64_t first, count;
};
XLRM_INLINE std::int64_t depth_at_a_time(std::int64_t k) {
    const std::int64_t parts = most(1, (k + kDepth - 1) / kDepth);
    return most(1, (k + parts - 1) / parts);
}
//! Distance of a strip's rows: they do not all fall into one set of the cache.
XLRM_INLINE std::int64_t strip_stride(std::int64_t depth) { return round_up(depth, 16) + 16; }
//! Panels that are packed at a time.
XLRM_INLINE std::int64_t panels_at_a_time(std::int64_t depth) { return most(1, kPackedPart / (kPanel * depth)); }

//! A strip from row `first` on; rows behind the last are zero.
inline void widen_strip(const Bf16Product& args, std::int64_t first, const DepthPart& depth, float* strip) {
    for (std::int64_t r = 0; r < kTileRows; ++r) {
        float* to = strip + r * strip_stride(depth.count);
        const Bf16* from = args.x + (first + r) * args.x_stride + depth.first;
        const bool inside = first + r < args.rows;
        for_row<Bf16>(depth.count, [&](std::int64_t i, std::int64_t n) { store(to + i, inside ? load_n(from + i, n) : F32{}); });
    }
}

//! A panel of a w that is stored as [k, n], from column `first` on; columns behind the last are zero.
inline void pack_rows(const Bf16Product& args, std::int64_t first, const DepthPart& depth, float* panel) {
    const std::int64_t count = least(kPanel, args.n - first);
    const Bf16* w = args.w + depth.first * args.w_stride + first;
    for (std::int64_t k = 0; k < depth.count; ++k, w += args.w_stride)
        for (std::int64_t c = 0; c < kPanel; c += kLanes<float>) {
            const std::int64_t n = most(0, least(kLanes<float>, count - c));
            store(panel + k * kPanel + c, n > 0 ? load_n(w + c, n) : F32{});
        }
}

//! A panel of a w that is stored as [n, k], likewise.
inline void pack_columns(const Bf16Product& args, std::int64_t first, const DepthPart& depth, float* panel) {
    constexpr std::int64_t L = kLanes<float>;
    for (std::int64_t c = 0; c < kPanel; c += L)
        for (std::int64_t k = 0; k < depth.count; k += L) {
            const std::int64_t inside = least(L, depth.count - k);
            alignas(XLRM_VECTOR_BYTES) float block[L][L];
            for (std::int64_t i = 0; i < L; ++i)
                store(block[i], first + c + i < args.n ? load_n(args.w + (first + c + i) * args.w_stride + depth.first + k, inside) : F32{});
#if XLRM_VECTOR_BYTES == 64
            __m512i words[L];
            for (std::int64_t i = 0; i < L; ++i) words[i] = _mm512_load_si512(block[i]);
            transpose(words);
            for (std::int64_t j = 0; j < inside; ++j) _mm512_storeu_si512(panel + (k + j) * kPanel + c, words[j]);
#else
            for (std::int64_t j = 0; j < inside; ++j)
                for (std::int64_t i = 0; i < L; ++i) panel[(k + j) * kPanel + c + i] = block[i][j];
#endif
        }
}

//! The sums [kTileRows, kPanel] of one strip and one panel to y, with the bias.
inline void store_sums(const Bf16Product& args, const float* sums, std::int64_t row, std::int64_t column) {
    const std::int64_t rows = least(kTileRows, args.rows - row), columns = least(kPanel, args.n - column);
    for (std::int64_t c = 0; c < columns; c += kLanes<float>) {
        const std::int64_t n = least(kLanes<float>, columns - c);
        const F32 bias = args.bias != nullptr ? load_n(args.bias + column + c, n) : F32{};
        for (std::int64_t r = 0; r < rows; ++r) store_n(args.y + (row + r) * args.y_stride + column + c, load(sums + r * kPanel + c) + bias, n);
    }
}

//! Scratch of a product: a strip, the panels packed at a time, and sums [kTileRows, kPanel] of each strip and panel that wait for more depth.
struct WideParts {
    std::int64_t depth, panels, rows;
    float *strip, *packed, *sums;
    std::int64_t used;
};
inline WideParts wide_parts(std::int64_t k, char* base) {
    WideParts p{};
    p.depth = depth_at_a_time(k);
    p.panels = panels_at_a_time(p.depth);
    p.rows = p.depth < k ? kWaitingRows : kTileRows;
    p.strip = reinterpret_cast<float*>(base);
    p.packed = p.strip + kTileRows * strip_stride(p.depth);
    p.sums = p.packed + p.panels * kPanel * p.depth;
    p.used = std::int64_t(sizeof(float)) * (kTileRows * strip_stride(p.depth) + p.panels * kPanel * (p.depth + p.rows));
    return p;
}

inline std::int64_t wide_product_scratch(std::int64_t k) { return wide_parts(k, nullptr).used; }

//! Rows [begin, end) and the packed columns from `first` on over one part of the depth.
inline void multiply_part(const Bf16Product& args, const WideParts& p, std::int64_t begin, std::int64_t end, std::int64_t first, const DepthPart& depth) {
    const std::int64_t columns = least(p.panels * kPanel, args.n - first);
    const bool starts = depth.first == 0, ends = depth.first + depth.count == args.k;
    for (std::int64_t r = begin; r < end; r += kTileRows) {
        widen_strip(args, r, depth, p.strip);
        float* sums = p.sums + (starts && ends ? 0 : (r - begin) * p.panels * kPanel);
        for (std::int64_t c = 0; c < columns; c += kPanel, sums += kTileRows * kPanel) {
            const Left<float> left{p.strip, strip_stride(depth.count), 1};
            const Right<float> right{p.packed + c * depth.count, kPanel, kLanes<float>};
            if (starts)
                product_tile<float, kTileVectors, false>(left, right, sums, kPanel, depth.count);
            else
                product_tile<float, kTileVectors, true>(left, right, sums, kPanel, depth.count);
            if (ends) store_sums(args, sums, r, first + c);
        }
    }
}

inline void wide_product(const Bf16Product& args, char* scratch) {
    const WideParts p = wide_parts(args.k, scratch);
    const std::int64_t rows = p.depth < args.k ? p.rows : args.rows;
    for (std::int64_t r = 0; r < args.rows; r += rows)
        for (std::int64_t first = 0; first < args.n; first += p.panels * kPanel)
            for (std::int64_t k = 0; k < args.k; k += p.depth) {
                const DepthPart depth{k, least(p.depth, args.k - k)};
                for (std::int64_t c = first; c < least(args.n, first + p.panels * kPanel); c += kPanel) {
                    float* panel = p.packed + (c - first) * depth.count;
                    args.w_transposed ? pack_columns(args, c, depth, panel) : pack_rows(args, c, depth, panel);
                }
                multiply_part(args, p, r, least(args.rows, r + rows), first, depth);
            }
}

//! Columns of x whose panels of kTokens are packed at a time.
inline constexpr std::int64_t kGradientColumns = kPackedPart / kTokens;

inline std::int64_t wide_gradient_scratch() { return std::int64_t(sizeof(float)) * kTokens * (kGradientColumns + kTileRows); }

inline void wide_weight_gradient(const Bf16WeightGradient& args, std::int64_t n_begin, std::int64_t n_end, char* scratch) {
    constexpr std::int64_t L = kLanes<float>;
    float* strip = reinterpret_cast<float*>(scratch);  // [tokens, kTileRows]
    float* packed = strip + kTokens * kTileRows;
    for (std::int64_t t = 0; t < args.tokens; t += kTokens) {
        const std::int64_t count = least(kTokens, args.tokens - t);
        for (std::int64_t k = 0; k < args.k; k += kGradientColumns) {
            const std::int64_t columns = least(kGradientColumns, args.k - k);
            for (std::int64_t i = 0; i < count; ++i)
                for (std::int64_t c = 0; c < columns; c += L)
                    store(packed + c / kPanel * kPanel * kTokens + i * kPanel + c % kPanel, load(args.x + (t + i) * args.x_stride + k + c));
            for (std::int64_t n = n_begin; n < n_end; n += kTileRows) {
                for (std::int64_t i = 0; i < count; ++i)
                    for (std::int64_t r = 0; r < kTileRows; ++r)
                        strip[i * kTileRows + r] = bits_as<float>(std::uint32_t{args.dy[(t + i) * args.dy_stride + n + r].bits} << 16);
                for (std::int64_t c = 0; c < columns; c += kPanel)
                    product_tile<float, kTileVectors, true>({strip, 1, kTileRows}, {packed + c * kTokens, kPanel, L},
                                                            args.dweight + n * args.dweight_stride + k + c, args.dweight_stride, count);
            }
        }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
