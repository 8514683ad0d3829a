#pragma once

#include "ops/cpu/amx.hpp"
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
            _mm512_store_si512(
                to, r < count ? _mm512_maskz_loadu_epi16(first_columns(k - i), rows + r * stride + i) : _mm512_setzero_si512());
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

//! sums [32, 32] = 32 rows of x · the packed columns; between(step) runs beside the tiles. Packed columns are read with the hint
//! that they are not soon read again, which leaves the rows in the first-level cache.
template <class Between>
inline void multiply_block(const RowBlock& rows, const Bf16* packed, std::int64_t steps, float* sums, Between between) {
    const std::int64_t bytes = rows.stride * std::int64_t(sizeof(Bf16));
    const Bf16* x = rows.data;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::int64_t s = 0; s < steps; ++s, x += 32, packed += 2 * kTile) {
        _tile_loadd(4, x, bytes);
        _tile_stream_loadd(6, packed, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_stream_loadd(7, packed + kTile, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + 16 * rows.stride, bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        between(s);
    }
    _tile_stored(0, sums, 128);
    _tile_stored(1, sums + 16, 128);
    _tile_stored(2, sums + 16 * 32, 128);
    _tile_stored(3, sums + 16 * 32 + 16, 128);
}

//! Multiplies blocks one after the other, and stores the sums of each by store(sums, row, column) for one row while the tiles are
//! busy with the next: tiles and vectors are different units.
template <class Store>
class BlockPipeline {
public:
    BlockPipeline(std::int64_t steps, Store store) : steps_(steps), rows_a_step_((32 + steps - 1) / steps), store_(store) {}

    void multiply(const RowBlock& rows, const Bf16* packed, std::int64_t row, std::int64_t column) {
        float* to = sums_[turn_];
        multiply_block(rows, packed, steps_, to,
                       [&](std::int64_t step) { store_rows(step * rows_a_step_, (step + 1) * rows_a_step_); });
        waiting_ = to, row_ = row, column_ = column, count_ = rows.count;
        turn_ = 1 - turn_;
    }
    //! Stores what still waits.
    void finish() {
        store_rows(0, 32);
        count_ = 0;
    }

private:
    void store_rows(std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < least(end, count_); ++r) store_(waiting_ + 32 * r, row_ + r, column_);
    }

    std::int64_t steps_, rows_a_step_;
    Store store_;
    alignas(64) float sums_[2][32 * 32];
    const float* waiting_ = nullptr;
    std::int64_t row_ = 0, column_ = 0, count_ = 0;
    int turn_ = 0;
};

//! 32 columns [first, …) of w at depth [depth, depth + 32) as two tiles; what lies outside w is zero.
inline void pack_tiles(const Product<Bf16>& args, std::int64_t first, std::int64_t depth, Bf16* to) {
    if (args.w_transposed)
        return pack_columns(args.w + first * args.w_stride + depth, args.w_stride, args.n - first, first_columns(args.k - depth),
                            to);
    __m512i left[16], right[16];
    pair_rows(args.w + depth * args.w_stride + first, args.w_stride, args.k - depth, first_columns(args.n - first), left, right);
    store_tiles(left, right, to);
}

//! x · w in blocks; store(sums, row, column) takes 32 columns of one row. `scratch` as amx_product's.
template <class Store>
inline void multiply_all(const Product<Bf16>& args, Bf16* scratch, Store store) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t steps = (args.k + 31) / 32, block = 2 * kTile * steps;
    const std::int64_t passes = (args.n + block_columns(args.k) - 1) / block_columns(args.k);
    const std::int64_t columns = up_to_32((args.n + passes - 1) / passes);
    BlockPipeline pipeline(steps, store);
    Bf16* copied = scratch;
    Bf16* packed = scratch + 32 * 32 * steps;
    for (std::int64_t n = 0; n < args.n; n += columns) {
        const std::int64_t blocks = up_to_32(least(columns, args.n - n)) / 32;
        for (std::int64_t c = 0; c < blocks; ++c)
            for (std::int64_t s = 0; s < steps; ++s) pack_tiles(args, n + 32 * c, 32 * s, packed + c * block + s * 2 * kTile);
        for (std::int64_t r = 0; r < args.rows; r += 32) {
            const RowBlock rows = row_block(args.x + r * args.x_stride, args.x_stride, least(32, args.rows - r), args.k, copied);
            for (std::int64_t c = 0; c < blocks; ++c) pipeline.multiply(rows, packed + c * block, r, n + 32 * c);
        }
    }
    pipeline.finish();
    _tile_release();
}

//! Two vectors rounded to nearest even, the first one low.
inline __m512i round_bf16(__m512 low, __m512 high) { return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)); }

inline __m512 widen(__m256i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)); }

}  // namespace
}  // namespace xlrm::cpu
