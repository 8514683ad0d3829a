#pragma once

#include "ops/cpu/product.hpp"

#if XLRM_VECTOR_BYTES == 64
#include "ops/cpu/transpose.hpp"
#endif

// Products of matrices in vectors of sums. Where the operands' type is narrower (bf16) they are widened, which is exact, as they
// are packed: the right one in panels of kPanel columns, [depth, kPanel], the left one in strips of kTileRows rows.
namespace xlrm::cpu::XLRM_ISA {

template <class T>
inline constexpr std::int64_t kPanel = kTileVectors* kLanes<T>;
//! Bytes of the right operand that are packed at a time: half of a usual second-level cache.
inline constexpr std::int64_t kPackedBytes = XLRM_VECTOR_BYTES == 64 ? 512 * 1024 : 128 * 1024;
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
template <class T>
XLRM_INLINE std::int64_t panels_at_a_time(std::int64_t depth) {
    return most(1, kPackedBytes / std::int64_t(sizeof(Accumulate<T>)) / (kPanel<T> * depth));
}

//! A strip from row `first` on; rows behind the last are zero.
template <class T>
void pack_strip(const Product<T>& args, std::int64_t first, const DepthPart& depth, Accumulate<T>* strip) {
    for (std::int64_t r = 0; r < kTileRows; ++r) {
        Accumulate<T>* to = strip + r * strip_stride(depth.count);
        const T* from = args.x + (first + r) * args.x_stride + depth.first;
        const bool inside = first + r < args.rows;
        for_row<T>(depth.count, [&](std::int64_t i, std::int64_t n) { store(to + i, inside ? load_n(from + i, n) : Vec<T>{}); });
    }
}

//! A panel of a w that is stored as [k, n], from column `first` on; columns behind the last are zero.
template <class T>
void pack_panel_of_rows(const Product<T>& args, std::int64_t first, const DepthPart& depth, Accumulate<T>* panel) {
    constexpr std::int64_t L = kLanes<T>;
    const std::int64_t count = least(kPanel<T>, args.n - first);
    const T* w = args.w + depth.first * args.w_stride + first;
    for (std::int64_t k = 0; k < depth.count; ++k, w += args.w_stride)
        for (std::int64_t c = 0; c < kPanel<T>; c += L) {
            const std::int64_t n = most(0, least(L, count - c));
            store(panel + k * kPanel<T> + c, n > 0 ? load_n(w + c, n) : Vec<T>{});
        }
}

//! The columns of a block [lanes, lanes] as rows of a panel, the first `count` of them.
template <class A>
XLRM_INLINE void store_transposed(const A* block, std::int64_t count, A* panel) {
    constexpr std::int64_t L = kLanes<A>;
#if XLRM_VECTOR_BYTES == 64
    if constexpr (sizeof(A) == 4) {
        __m512i words[L];
        for (std::int64_t i = 0; i < L; ++i) words[i] = _mm512_load_si512(block + i * L);
        transpose(words);
        for (std::int64_t j = 0; j < count; ++j) _mm512_storeu_si512(panel + j * kPanel<A>, words[j]);
        return;
    }
#endif
    for (std::int64_t j = 0; j < count; ++j)
        for (std::int64_t i = 0; i < L; ++i) panel[j * kPanel<A> + i] = block[i * L + j];
}

//! A panel of a w that is stored as [n, k], likewise.
template <class T>
void pack_panel_of_columns(const Product<T>& args, std::int64_t first, const DepthPart& depth, Accumulate<T>* panel) {
    constexpr std::int64_t L = kLanes<T>;
    alignas(XLRM_VECTOR_BYTES) Accumulate<T> block[L * L];
    for (std::int64_t c = 0; c < kPanel<T>; c += L)
        for (std::int64_t k = 0; k < depth.count; k += L) {
            const std::int64_t inside = least(L, depth.count - k);
            for (std::int64_t i = 0; i < L; ++i) {
                const T* from = args.w + (first + c + i) * args.w_stride + depth.first + k;
                store(block + i * L, first + c + i < args.n ? load_n(from, inside) : Vec<T>{});
            }
            store_transposed(block, inside, panel + k * kPanel<T> + c);
        }
}

//! The sums [kTileRows, kPanel] of one strip and one panel to y, with the bias.
template <class T>
void store_sums(const Product<T>& args, const Accumulate<T>* sums, std::int64_t row, std::int64_t column) {
    constexpr std::int64_t L = kLanes<T>;
    const std::int64_t rows = least(kTileRows, args.rows - row), columns = least(kPanel<T>, args.n - column);
    for (std::int64_t c = 0; c < columns; c += L) {
        const std::int64_t n = least(L, columns - c);
        const Vec<T> bias = args.bias != nullptr ? load_n(args.bias + column + c, n) : Vec<T>{};
        for (std::int64_t r = 0; r < rows; ++r)
            store_n(args.y + (row + r) * args.y_stride + column + c, load(sums + r * kPanel<T> + c) + bias, n);
    }
}

//! Scratch of a product: a strip, the panels packed at a time, and sums [kTileRows, kPanel] of each strip and panel that wait for
//! more depth.
template <class T>
struct ProductParts {
    std::int64_t depth, panels, rows, used;
    Accumulate<T>*strip, *packed, *sums;

    ProductParts(std::int64_t k, char* base)
        : depth(depth_at_a_time(k)), panels(panels_at_a_time<T>(depth)), rows(depth < k ? kWaitingRows : kTileRows) {
        strip = reinterpret_cast<Accumulate<T>*>(base);
        packed = strip + kTileRows * strip_stride(depth);
        sums = packed + panels * kPanel<T> * depth;
        used = std::int64_t(sizeof(Accumulate<T>)) * (kTileRows * strip_stride(depth) + panels * kPanel<T> * (depth + rows));
    }
};

template <class T>
std::int64_t product_scratch(std::int64_t k) {
    return ProductParts<T>(k, nullptr).used;
}

//! Rows [begin, end) and the packed columns from `first` on over one part of the depth.
template <class T>
void multiply_part(const Product<T>& args, const ProductParts<T>& p, std::int64_t begin, std::int64_t end, std::int64_t first,
                   const DepthPart& depth) {
    using A = Accumulate<T>;
    const std::int64_t columns = least(p.panels * kPanel<T>, args.n - first);
    const bool starts = depth.first == 0, ends = depth.first + depth.count == args.k;
    for (std::int64_t r = begin; r < end; r += kTileRows) {
        pack_strip(args, r, depth, p.strip);
        for (std::int64_t c = 0; c < columns; c += kPanel<T>) {
            A* sums = p.sums + (starts && ends ? 0 : (r - begin) * p.panels * kPanel<T> + c * kTileRows);
            const Left<A> left{p.strip, strip_stride(depth.count), 1};
            const Right<A> right{p.packed + c * depth.count, kPanel<T>, kLanes<T>};
            if (starts)
                product_tile<A, kTileVectors, false>(left, right, sums, kPanel<T>, depth.count);
            else
                product_tile<A, kTileVectors, true>(left, right, sums, kPanel<T>, depth.count);
            if (ends) store_sums(args, sums, r, first + c);
        }
    }
}

template <class T>
void matrix_product(const Product<T>& args, char* scratch) {
    const ProductParts<T> p(args.k, scratch);
    const std::int64_t rows = p.depth < args.k ? p.rows : args.rows, columns = p.panels * kPanel<T>;
    for (std::int64_t r = 0; r < args.rows; r += rows)
        for (std::int64_t first = 0; first < args.n; first += columns)
            for (std::int64_t k = 0; k < args.k; k += p.depth) {
                const DepthPart depth{k, least(p.depth, args.k - k)};
                for (std::int64_t c = first; c < least(args.n, first + columns); c += kPanel<T>) {
                    Accumulate<T>* panel = p.packed + (c - first) * depth.count;
                    args.w_transposed ? pack_panel_of_columns(args, c, depth, panel) : pack_panel_of_rows(args, c, depth, panel);
                }
                multiply_part(args, p, r, least(args.rows, r + rows), first, depth);
            }
}

//! Columns of x whose panels of kTokens are packed at a time.
template <class T>
inline constexpr std::int64_t kGradientColumns = kPackedBytes / std::int64_t(sizeof(Accumulate<T>)) / kTokens;

template <class T>
std::int64_t gradient_scratch() {
    return std::int64_t(sizeof(Accumulate<T>)) * kTokens * (kGradientColumns<T> + kTileRows);
}

//! kTileRows elements, widened.
template <class T>
XLRM_INLINE void widen_few(const T* from, Accumulate<T>* to) {
    if constexpr (std::is_same_v<T, Bf16>) {
        using Half = std::uint16_t __attribute__((vector_size(2 * kTileRows)));
        using Word = std::uint32_t __attribute__((vector_size(4 * kTileRows)));
        Half half;
        std::memcpy(&half, from, sizeof half);
        const Word words = __builtin_convertvector(half, Word) << 16;
        std::memcpy(to, &words, sizeof words);
    } else {
        std::memcpy(to, from, kTileRows * sizeof(T));
    }
}

template <class T>
void weight_gradient(const WeightGradient<T>& args, std::int64_t n_begin, std::int64_t n_end, char* scratch) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<T>;
    A* strip = reinterpret_cast<A*>(scratch);  // [tokens, kTileRows]
    A* packed = strip + kTokens * kTileRows;
    for (std::int64_t t = 0; t < args.tokens; t += kTokens) {
        const std::int64_t count = least(kTokens, args.tokens - t);
        for (std::int64_t k = 0; k < args.k; k += kGradientColumns<T>) {
            const std::int64_t columns = least(kGradientColumns<T>, args.k - k);
            for (std::int64_t i = 0; i < count; ++i)
                for (std::int64_t c = 0; c < columns; c += L)
                    store(packed + c / kPanel<T> * kPanel<T> * kTokens + i * kPanel<T> + c % kPanel<T>,
                          load(args.x + (t + i) * args.x_stride + k + c));
            for (std::int64_t n = n_begin; n < n_end; n += kTileRows) {
                for (std::int64_t i = 0; i < count; ++i) widen_few(args.dy + (t + i) * args.dy_stride + n, strip + i * kTileRows);
                for (std::int64_t c = 0; c < columns; c += kPanel<T>)
                    product_tile<A, kTileVectors, true>({strip, 1, kTileRows}, {packed + c * kTokens, kPanel<T>, L},
                                                        args.dweight + n * args.dweight_stride + k + c, args.dweight_stride,
                                                        count);
            }
        }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
