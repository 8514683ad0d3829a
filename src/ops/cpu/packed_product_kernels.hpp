#pragma once

#include "ops/cpu/product_kernels.hpp"

// Products of few rows with a weight that was packed before: all strips of the rows stay in the second-level cache while the
// panels pass by, each read once.
namespace xlrm::cpu::XLRM_ISA {

//! Rows whose strips are packed at a time.
inline constexpr std::int64_t kPackedRows = 16 * kTileRows;

template <class T>
std::int64_t panel_size(std::int64_t k) {
    return k * kPanel<T>;
}

template <class T>
void pack_panels(const Product<T>& args, std::int64_t begin, std::int64_t end, Accumulate<T>* packed) {
    for (std::int64_t p = begin; p < end; ++p) {
        Accumulate<T>* panel = packed + p * args.k * kPanel<T>;
        const DepthPart all{0, args.k};
        args.w_transposed ? pack_panel_of_columns(args, p * kPanel<T>, all, panel)
                          : pack_panel_of_rows(args, p * kPanel<T>, all, panel);
    }
}

//! Scratch: strips of kPackedRows rows for each part of the depth, and their sums with one panel.
template <class T>
std::int64_t packed_scratch(std::int64_t k) {
    const std::int64_t depth = depth_at_a_time(k), parts = (k + depth - 1) / depth;
    return std::int64_t(sizeof(Accumulate<T>)) * kPackedRows * (parts * strip_stride(depth) + kPanel<T>);
}

template <class T>
void packed_product(const Product<T>& args, const Accumulate<T>* packed, std::int64_t begin, std::int64_t end, char* scratch) {
    using A = Accumulate<T>;
    const std::int64_t depth = depth_at_a_time(args.k), parts = (args.k + depth - 1) / depth;
    const std::int64_t part_size = kPackedRows * strip_stride(depth);
    A* const strips = reinterpret_cast<A*>(scratch);
    A* const sums = strips + parts * part_size;
    const auto part_at = [&](std::int64_t i) { return DepthPart{i * depth, least(depth, args.k - i * depth)}; };
    for (std::int64_t row = 0; row < args.rows; row += kPackedRows) {
        const std::int64_t rows = least(kPackedRows, args.rows - row);
        for (std::int64_t i = 0; i < parts; ++i)
            for (std::int64_t r = 0; r < rows; r += kTileRows)
                pack_strip(args, row + r, part_at(i), strips + i * part_size + r * strip_stride(part_at(i).count));
        for (std::int64_t p = begin; p < end; ++p)
            for (std::int64_t i = 0; i < parts; ++i) {
                const DepthPart part = part_at(i);
                const Right<A> right{packed + (p * args.k + part.first) * kPanel<T>, kPanel<T>, kLanes<T>};
                for (std::int64_t r = 0; r < rows; r += kTileRows) {
                    const Left<A> left{strips + i * part_size + r * strip_stride(part.count), strip_stride(part.count), 1};
                    if (i == 0)
                        product_tile<A, kTileVectors, false>(left, right, sums + r * kPanel<T>, kPanel<T>, part.count);
                    else
                        product_tile<A, kTileVectors, true>(left, right, sums + r * kPanel<T>, kPanel<T>, part.count);
                    if (i + 1 == parts) store_sums(args, sums + r * kPanel<T>, row + r, p * kPanel<T>);
                }
            }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
