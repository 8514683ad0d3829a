#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_blocks.hpp"

namespace xlrm::cpu {
namespace {

//! 32 columns [first, …) of w at depth [depth, depth + 32) as two tiles; what lies outside w is zero.
void pack_tiles(const AmxProduct& args, std::int64_t first, std::int64_t depth, Bf16* to) {
    __m512i left[16], right[16];
    if (args.w_transposed) {
        const __mmask32 mask = first_columns(args.k - depth);
        for (std::int64_t i = 0; i < 16; ++i) {
            const Bf16* row = args.w + (first + i) * args.w_stride + depth;
            left[i] = first + i < args.n ? _mm512_maskz_loadu_epi16(mask, row) : _mm512_setzero_si512();
            right[i] = first + i + 16 < args.n ? _mm512_maskz_loadu_epi16(mask, row + 16 * args.w_stride) : _mm512_setzero_si512();
        }
        transpose(left);
        transpose(right);
    } else {
        pair_rows(args.w + depth * args.w_stride + first, args.w_stride, args.k - depth, first_columns(args.n - first), left,
                  right);
    }
    store_tiles(left, right, to);
}

//! 32 sums to y at (row, column), with the bias.
inline void store_row(const AmxProduct& args, const float* sums, std::int64_t row, std::int64_t column) {
    const __mmask32 mask = first_columns(args.n - column);
    __m512 low = _mm512_load_ps(sums), high = _mm512_load_ps(sums + 16);
    if (args.bias != nullptr) {
        const __m512i bias = _mm512_maskz_loadu_epi16(mask, args.bias + column);
        low = _mm512_add_ps(low, widen(_mm512_castsi512_si256(bias)));
        high = _mm512_add_ps(high, widen(_mm512_extracti64x4_epi64(bias, 1)));
    }
    _mm512_mask_storeu_epi16(args.y + row * args.y_stride + column, mask, round_bf16(low, high));
}

}  // namespace

std::int64_t amx_product_scratch(std::int64_t k) { return (block_columns(k) + 32) * up_to_32(k); }

void amx_product(const AmxProduct& args, Bf16* scratch) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t steps = (args.k + 31) / 32, block = 2 * kTile * steps;
    const std::int64_t passes = (args.n + block_columns(args.k) - 1) / block_columns(args.k);
    const std::int64_t columns = up_to_32((args.n + passes - 1) / passes);
    BlockPipeline pipeline(steps, [&](const float* sums, std::int64_t row, std::int64_t column) { store_row(args, sums, row, column); });
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

}  // namespace xlrm::cpu
