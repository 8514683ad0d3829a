#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_tiles.hpp"

namespace xlrm::cpu {
namespace {

//! Elements of w that are packed at a time: 1 MiB, half of the second-level cache.
constexpr std::int64_t kPacked = 512 * 1024;

inline std::int64_t up_to_32(std::int64_t n) { return (n + 31) / 32 * 32; }

//! Columns of w that are packed at a time.
std::int64_t block_columns(std::int64_t k) {
    const std::int64_t fit = kPacked / up_to_32(k) / 32 * 32;
    return fit > 32 ? fit : 32;
}

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

//! 32 rows of `rows` [count, k] as rows of k rounded up to 32; what lies outside is zero.
void copy_rows(const Bf16* rows, std::int64_t stride, std::int64_t count, std::int64_t k, Bf16* to) {
    for (std::int64_t r = 0; r < 32; ++r)
        for (std::int64_t i = 0; i < k; i += 32, to += 32)
            _mm512_store_si512(to, r < count ? _mm512_maskz_loadu_epi16(first_columns(k - i), rows + r * stride + i)
                                             : _mm512_setzero_si512());
}

//! sums [32, 32] = 32 rows of x · the packed columns.
inline void multiply_block(const Bf16* x, std::int64_t x_stride, const Bf16* packed, std::int64_t steps, float* sums) {
    const std::int64_t bytes = x_stride * std::int64_t(sizeof(Bf16));
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (std::int64_t s = 0; s < steps; ++s, x += 32, packed += 2 * kTile) {
        _tile_loadd(4, x, bytes);
        _tile_loadd(6, packed, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, packed + kTile, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + 16 * x_stride, bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, 128);
    _tile_stored(1, sums + 16, 128);
    _tile_stored(2, sums + 16 * 32, 128);
    _tile_stored(3, sums + 16 * 32 + 16, 128);
}

//! Nearest even; not-a-number becomes the quiet one.
inline __m256i round_bf16(__m512 value) {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc0)));
}

inline __m512 widen(__m256i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)); }

//! `count` rows of sums to y at (row, column), with the bias.
inline void store_sums(const AmxProduct& args, const float* sums, std::int64_t row, std::int64_t column, std::int64_t count) {
    const __mmask32 mask = first_columns(args.n - column);
    const __m512i bias = args.bias != nullptr ? _mm512_maskz_loadu_epi16(mask, args.bias + column) : _mm512_setzero_si512();
    const __m512 low = widen(_mm512_castsi512_si256(bias)), high = widen(_mm512_extracti64x4_epi64(bias, 1));
    for (std::int64_t r = 0; r < count; ++r) {
        const __m256i first = round_bf16(_mm512_add_ps(_mm512_load_ps(sums + 32 * r), low));
        const __m256i second = round_bf16(_mm512_add_ps(_mm512_load_ps(sums + 32 * r + 16), high));
        _mm512_mask_storeu_epi16(args.y + (row + r) * args.y_stride + column, mask,
                                 _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
    }
}

}  // namespace

std::int64_t amx_product_scratch(std::int64_t k) { return (block_columns(k) + 32) * up_to_32(k); }

void amx_product(const AmxProduct& args, Bf16* scratch) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t steps = (args.k + 31) / 32, block = 2 * kTile * steps;
    const std::int64_t passes = (args.n + block_columns(args.k) - 1) / block_columns(args.k);
    const std::int64_t columns = up_to_32((args.n + passes - 1) / passes);
    alignas(64) float sums[32 * 32];
    Bf16* copied = scratch;
    Bf16* packed = scratch + 32 * 32 * steps;
    for (std::int64_t n = 0; n < args.n; n += columns) {
        const std::int64_t blocks = up_to_32(least(columns, args.n - n)) / 32;
        for (std::int64_t c = 0; c < blocks; ++c)
            for (std::int64_t s = 0; s < steps; ++s) pack_tiles(args, n + 32 * c, 32 * s, packed + c * block + s * 2 * kTile);
        for (std::int64_t r = 0; r < args.rows; r += 32) {
            const std::int64_t count = least(32, args.rows - r);
            const Bf16* x = args.x + r * args.x_stride;
            std::int64_t stride = args.x_stride;
            if (count < 32 || args.k % 32 != 0) {
                copy_rows(x, stride, count, args.k, copied);
                x = copied, stride = 32 * steps;
            }
            for (std::int64_t c = 0; c < blocks; ++c) {
                multiply_block(x, stride, packed + c * block, steps, sums);
                store_sums(args, sums, r, n + 32 * c, count);
            }
        }
    }
    _tile_release();
}

}  // namespace xlrm::cpu
