#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_tiles.hpp"

namespace xlrm::cpu {
namespace {

constexpr std::int64_t kGroups = kAmxTokens / 32;
constexpr __mmask32 kAll = ~__mmask32{0};

//! 32 x 32 elements at `to` += the groups of 32 tokens packed in a and b, two tiles each.
inline void add_block(const Bf16* a, const Bf16* b, std::int64_t groups, float* to, std::int64_t stride) {
    const std::int64_t bytes = stride * std::int64_t(sizeof(float));
    _tile_loadd(0, to, bytes);
    _tile_loadd(1, to + 16, bytes);
    _tile_loadd(2, to + 16 * stride, bytes);
    _tile_loadd(3, to + 16 * stride + 16, bytes);
    for (std::int64_t g = 0; g < groups; ++g) {
        _tile_loadd(4, a + g * 2 * kTile, 64);
        _tile_loadd(5, a + g * 2 * kTile + kTile, 64);
        _tile_stream_loadd(6, b + g * 2 * kTile, 64);
        _tile_stream_loadd(7, b + g * 2 * kTile + kTile, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, to, bytes);
    _tile_stored(1, to + 16, bytes);
    _tile_stored(2, to + 16 * stride, bytes);
    _tile_stored(3, to + 16 * stride + 16, bytes);
}

//! Part of dweight from (n, k) on, in blocks of 32.
struct GradientPart {
    std::int64_t n, k, row_blocks, column_blocks;
};

void pack_x(const WeightGradient<Bf16>& args, const GradientPart& part, std::int64_t token, std::int64_t count, Bf16* to) {
    __m512i left[16], right[16];
    for (std::int64_t g = 0; 32 * g < count; ++g)
        for (std::int64_t block = 0; block < part.column_blocks; ++block) {
            pair_rows(args.x + (token + 32 * g) * args.x_stride + part.k + 32 * block, args.x_stride, count - 32 * g, kAll, left,
                      right);
            store_tiles(left, right, to + (block * kGroups + g) * 2 * kTile);
        }
}

void pack_dy(const WeightGradient<Bf16>& args, const GradientPart& part, std::int64_t token, std::int64_t count, Bf16* to) {
    __m512i left[16], right[16];
    for (std::int64_t g = 0; 32 * g < count; ++g)
        for (std::int64_t block = 0; block < part.row_blocks; ++block) {
            pair_rows(args.dy + (token + 32 * g) * args.dy_stride + part.n + 32 * block, args.dy_stride, count - 32 * g, kAll,
                      left, right);
            transpose(left);
            transpose(right);
            store_tiles(left, right, to + (block * kGroups + g) * 2 * kTile);
        }
}

void add_part(const WeightGradient<Bf16>& args, const GradientPart& part, Bf16* scratch) {
    Bf16* packed_dy = scratch;
    Bf16* packed_x = scratch + kAmxTokens * 32 * part.row_blocks;
    for (std::int64_t t = 0; t < args.tokens; t += kAmxTokens) {
        const std::int64_t count = least(kAmxTokens, args.tokens - t), groups = (count + 31) / 32;
        pack_x(args, part, t, count, packed_x);
        pack_dy(args, part, t, count, packed_dy);
        for (std::int64_t row = 0; row < part.row_blocks; ++row)
            for (std::int64_t column = 0; column < part.column_blocks; ++column)
                add_block(packed_dy + row * kGroups * 2 * kTile, packed_x + column * kGroups * 2 * kTile, groups,
                          args.dweight + (part.n + 32 * row) * args.dweight_stride + part.k + 32 * column, args.dweight_stride);
    }
}

//! `all` in equal parts of at most `limit`, in multiples of 32.
std::int64_t even_part(std::int64_t all, std::int64_t limit) {
    const std::int64_t parts = (all + limit - 1) / limit;
    return ((all + parts - 1) / parts + 31) / 32 * 32;
}

}  // namespace

void amx_weight_gradient(const WeightGradient<Bf16>& args, std::int64_t n_begin, std::int64_t n_end, Bf16* scratch) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t rows = even_part(n_end - n_begin, kAmxGradientRows), columns = even_part(args.k, kAmxGradientColumns);
    for (std::int64_t n = n_begin; n < n_end; n += rows)
        for (std::int64_t k = 0; k < args.k; k += columns)
            add_part(args, {n, k, least(rows, n_end - n) / 32, least(columns, args.k - k) / 32}, scratch);
    _tile_release();
}

}  // namespace xlrm::cpu
