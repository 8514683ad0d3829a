#define XLRM_ISA amx
#define XLRM_VECTOR_BYTES 64
#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_blocks.hpp"
#include "ops/cpu/row_kernels.hpp"

namespace xlrm::cpu {
namespace {

//! 16 gate columns from `first` on beside the same 16 of up, at depth [depth, depth + 32), as two tiles.
void pack_pair(const AmxGatedProduct& args, std::int64_t first, std::int64_t depth, Bf16* to) {
    __m512i gate[16], up[16];
    const __mmask32 mask = first_columns(args.k - depth);
    const Bf16* row = args.w + first * args.w_stride + depth;
    for (std::int64_t i = 0; i < 16; ++i, row += args.w_stride) {
        gate[i] = _mm512_maskz_loadu_epi16(mask, row);
        up[i] = _mm512_maskz_loadu_epi16(mask, row + args.width * args.w_stride);
    }
    transpose(gate);
    transpose(up);
    store_tiles(gate, up, to);
}

//! 16 sums of gate and 16 of up to (row, column): what a later pass would read is rounded first.
inline void store_row(const AmxGatedProduct& args, const float* sums, std::int64_t row, std::int64_t column) {
    const __m512i both = round_bf16(_mm512_load_ps(sums), _mm512_load_ps(sums + 16));
    const __m256i gate = _mm512_castsi512_si256(both), up = _mm512_extracti64x4_epi64(both, 1);
    if (args.gate_up != nullptr) {
        Bf16* to = args.gate_up + row * 2 * args.width + column;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), gate);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + args.width), up);
    }
    amx::F32 slope;
    amx::store(args.y + row * args.width + column, amx::activate<Bf16>(args.gelu, widen(gate), &slope) * widen(up));
}

}  // namespace

std::int64_t amx_gated_product_scratch(std::int64_t k) { return (block_columns(k) + 32) * up_to_32(k); }

void amx_gated_product(const AmxGatedProduct& args, std::int64_t begin, std::int64_t end, Bf16* scratch) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t steps = (args.k + 31) / 32, block = 2 * kTile * steps, all = (end - begin) / 16;
    const std::int64_t most = block_columns(args.k) / 32, passes = (all + most - 1) / most;
    const std::int64_t pairs = (all + passes - 1) / passes;
    BlockPipeline pipeline(steps, [&](const float* sums, std::int64_t row, std::int64_t at) { store_row(args, sums, row, at); });
    Bf16* copied = scratch;
    Bf16* packed = scratch + 32 * 32 * steps;
    for (std::int64_t first = 0; first < all; first += pairs) {
        const std::int64_t count = least(pairs, all - first), column = begin + 16 * first;
        for (std::int64_t c = 0; c < count; ++c)
            for (std::int64_t s = 0; s < steps; ++s) pack_pair(args, column + 16 * c, 32 * s, packed + c * block + s * 2 * kTile);
        for (std::int64_t r = 0; r < args.rows; r += 32) {
            const RowBlock rows = row_block(args.x + r * args.x_stride, args.x_stride, least(32, args.rows - r), args.k, copied);
            for (std::int64_t c = 0; c < count; ++c) pipeline.multiply(rows, packed + c * block, r, column + 16 * c);
        }
    }
    pipeline.finish();
    _tile_release();
}

}  // namespace xlrm::cpu
