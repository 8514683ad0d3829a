#pragma once

#define XLRM_ISA amx
#define XLRM_VECTOR_BYTES 64
#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_blocks.hpp"
#include "ops/cpu/simd_math.hpp"

// Parts of attention on tiles. One task is one key/value head of one segment; the queries of all heads that share it are stacked
// (row = query · group + head), so short texts fill the tiles too. Keys are counted from the first one of their list, and groups
// of 32 begin at multiples of 32: what a group adds to a sum does not depend on where a text lies or whether its prefix is
// another segment.
namespace xlrm::cpu {
namespace {

inline std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

//! Hands out 64-byte aligned parts of the caller's scratch; with a null base it only counts.
class ScratchParts {
public:
    explicit ScratchParts(char* base) : base_(base) {}
    template <class A>
    A* take(std::int64_t elements) {
        A* part = base_ == nullptr ? nullptr : reinterpret_cast<A*>(base_ + used_);
        used_ += (elements * std::int64_t(sizeof(A)) + 63) / 64 * 64;
        return part;
    }
    std::int64_t used() const { return used_; }

private:
    char* base_;
    std::int64_t used_ = 0;
};

//! Distance of rows of n elements that does not put rows into one set of the cache.
inline std::int64_t row_distance(std::int64_t n) { return up_to_32(n) + 32; }

//! Rows of a strided matrix: row r of `count` at data + r · stride, of `width` elements.
struct StridedRows {
    const Bf16* data;
    std::int64_t stride, count, width;
};

//! Rows as a left operand's: [32-multiple, distance] with zeros outside.
inline void copy_padded(const StridedRows& rows, Bf16* to, std::int64_t distance) {
    for (std::int64_t r = 0; r < rows.count; ++r)
        for (std::int64_t i = 0; i < rows.width; i += 32)
            _mm512_store_si512(to + r * distance + i,
                               _mm512_maskz_loadu_epi16(first_columns(rows.width - i), rows.data + r * rows.stride + i));
}

//! 32 rows from `first` on as the right operand of a product over the width: two tiles for each 32 of the width, rows as columns.
inline void pack_as_columns(const StridedRows& rows, std::int64_t first, Bf16* to) {
    for (std::int64_t i = 0; i < rows.width; i += 32, to += 2 * kTile)
        pack_columns(rows.data + first * rows.stride + i, rows.stride, rows.count - first, first_columns(rows.width - i), to);
}

//! 32 rows from `first` on as the right operand of a product over the rows: two tiles for each 32 of the width.
inline void pack_as_depth(const StridedRows& rows, std::int64_t first, Bf16* to) {
    __m512i left[16], right[16];
    for (std::int64_t i = 0; i < rows.width; i += 32, to += 2 * kTile) {
        pair_rows(rows.data + first * rows.stride + i, rows.stride, rows.count - first, first_columns(rows.width - i), left,
                  right);
        store_tiles(left, right, to);
    }
}

//! 32 rows from `first` on, transposed: for each 32 of the width a left operand of 32 rows and 32 of depth, 32 elements apart.
inline void pack_transposed(const StridedRows& rows, std::int64_t first, Bf16* to) {
    __m512i left[16], right[16];
    for (std::int64_t i = 0; i < rows.width; i += 32, to += 2 * kTile) {
        pair_rows(rows.data + first * rows.stride + i, rows.stride, rows.count - first, first_columns(rows.width - i), left,
                  right);
        transpose(left);
        transpose(right);
        store_tiles(left, right, to);
    }
}

inline void zero_sums() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}
//! 32 x 32 fp32 at `at`, rows `distance` apart.
inline void load_sums(const float* at, std::int64_t distance) {
    const std::int64_t bytes = distance * std::int64_t(sizeof(float));
    _tile_loadd(0, at, bytes);
    _tile_loadd(1, at + 16, bytes);
    _tile_loadd(2, at + 16 * distance, bytes);
    _tile_loadd(3, at + 16 * distance + 16, bytes);
}
inline void store_sums(float* at, std::int64_t distance) {
    const std::int64_t bytes = distance * std::int64_t(sizeof(float));
    _tile_stored(0, at, bytes);
    _tile_stored(1, at + 16, bytes);
    _tile_stored(2, at + 16 * distance, bytes);
    _tile_stored(3, at + 16 * distance + 16, bytes);
}
//! The left operand of a product: 32 rows `distance` apart; the next 32 of the depth are `step` further.
struct LeftRows {
    const Bf16* data;
    std::int64_t distance, step = 32;
};
//! Adds to the sums the product of 32 rows with `steps` packed pairs of tiles, `packed_step` elements apart.
inline void add_product(const LeftRows& left, const Bf16* packed, std::int64_t packed_step, std::int64_t steps) {
    const std::int64_t bytes = left.distance * std::int64_t(sizeof(Bf16));
    const Bf16* rows = left.data;
    for (std::int64_t s = 0; s < steps; ++s, rows += left.step, packed += packed_step) {
        _tile_loadd(4, rows, bytes);
        _tile_loadd(6, packed, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, packed + kTile, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, rows + 16 * left.distance, bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

//! Sizes that follow from the arguments, and the mask.
struct TileAttention {
    std::int64_t d, depth, group, window;  //!< depth: d rounded up to whole tiles
    float scale, cap;

    explicit TileAttention(const AttentionArgs<Bf16>& args)
        : d(args.head_dim),
          depth(up_to_32(args.head_dim)),
          group(args.heads / args.kv_heads),
          window(args.window),
          scale(float(args.scale)),
          cap(float(args.soft_cap)) {}

    //! A query at position p of the list sees the keys [first_key(p), p].
    std::int64_t first_key(std::int64_t position) const { return window > 0 ? most(0, position - window + 1) : 0; }
    //! Packed elements of 32 keys.
    std::int64_t packed() const { return 32 * depth; }
};

//! Stacked rows [first, first + count) of a segment, and the keys [low, high), multiples of 32, that any of them sees.
struct TileStrip {
    std::int64_t first, count, low, high;
};
inline TileStrip tile_strip(const TileAttention& shape, const AttentionSegment& segment, std::int64_t first, std::int64_t rows) {
    TileStrip s{};
    s.first = first;
    s.count = least(rows, segment.query_count * shape.group - first);
    s.low = shape.first_key(segment.queries[first / shape.group].position) / 32 * 32;
    s.high = up_to_32(segment.queries[(first + s.count - 1) / shape.group].position + 1);
    return s;
}

//! Stacked rows of a strip, from [N, H, D] storage that begins at the group's first head.
inline void gather_strip(const TileAttention& shape, const AttentionSegment& segment, const TileStrip& strip, const Bf16* from,
                         std::int64_t token_stride, std::int64_t head_stride, Bf16* to, std::int64_t distance) {
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t row = strip.first + r;
        const Bf16* head = from + segment.queries[row / shape.group].row * token_stride + row % shape.group * head_stride;
        copy_padded({head, 0, 1, shape.d}, to + r * distance, 0);
    }
    for (std::int64_t r = strip.count; r < up_to_32(strip.count); ++r)
        for (std::int64_t i = 0; i < shape.depth; i += 32) _mm512_store_si512(to + r * distance + i, _mm512_setzero_si512());
}

//! Keys or values of a list of rows, 32 at a time: pack(rows, first row of the group, group). A group that several ranges share
//! is copied together first.
template <class Pack>
inline void for_key_groups(const TileAttention& shape, const AttentionSegment& segment, const Bf16* from, std::int64_t stride,
                           Pack pack) {
    alignas(64) Bf16 together[32 * 512];
    const KeyRows* range = segment.ranges;
    std::int64_t used = 0;  // rows of the range that earlier groups have
    for (std::int64_t key = 0; key < segment.keys; key += 32) {
        const std::int64_t wanted = least(32, segment.keys - key);
        while (used == range->length) ++range, used = 0;
        if (range->length - used >= wanted) {
            pack(StridedRows{from + range->begin * stride, stride, range->length, shape.d}, used, key / 32);
            used += wanted;
            continue;
        }
        for (std::int64_t have = 0; have < wanted;) {
            while (used == range->length) ++range, used = 0;
            const std::int64_t more = least(wanted - have, range->length - used);
            copy_padded({from + (range->begin + used) * stride, stride, more, shape.d}, together + have * shape.depth,
                        shape.depth);
            have += more, used += more;
        }
        pack(StridedRows{together, shape.depth, wanted, shape.d}, 0, key / 32);
    }
}

}  // namespace
}  // namespace xlrm::cpu
