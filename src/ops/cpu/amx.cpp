#include "ops/cpu/amx.hpp"

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

// A tile is 16 rows of 64 bytes. dpbf16ps adds to a tile of 16 x 16 fp32 the product of a tile of 16 x 32 bf16 and one of 32 x
// 16, which lies as 16 rows of 16 words, each a pair of rows beside each other.
namespace xlrm::cpu {
namespace {

bool ask_for_tiles() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    const bool has = (d >> 22 & 1u) != 0 && (d >> 24 & 1u) != 0;  // AMX-BF16, AMX-TILE
    if (!has || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return false;
    constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

constexpr std::int64_t kTile = 512;  // bf16 elements of a tile
constexpr std::int64_t kGroups = kAmxTokens / 32;

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

//! Rows [0, 32) of 32 columns as 16 rows of pairs: left the first 16 columns, right the others. Rows from `count` on are zero.
//! Whole cache lines are read once, because rows whose distance is a multiple of 4096 bytes all fall into one set of the cache.
inline void pair_rows(const Bf16* from, std::int64_t stride, std::int64_t count, __m512i* left, __m512i* right) {
    for (std::int64_t p = 0; p < 16; ++p) {
        const Bf16* row = from + 2 * p * stride;
        const __m512i zero = _mm512_setzero_si512();
        const __m512i first = 2 * p < count ? _mm512_loadu_si512(row) : zero;
        const __m512i second = 2 * p + 1 < count ? _mm512_loadu_si512(row + stride) : zero;
        auto pair = [](__m256i low, __m256i high) {
            return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
        };
        left[p] = pair(_mm512_castsi512_si256(first), _mm512_castsi512_si256(second));
        right[p] = pair(_mm512_extracti64x4_epi64(first, 1), _mm512_extracti64x4_epi64(second, 1));
    }
}

//! Transposes 16 x 16 words: within blocks of 4 x 4, then the blocks.
inline void transpose(__m512i* w) {
    __m512i a[16];
    for (int i = 0; i < 16; i += 4) {
        const __m512i low01 = _mm512_unpacklo_epi32(w[i], w[i + 1]), high01 = _mm512_unpackhi_epi32(w[i], w[i + 1]);
        const __m512i low23 = _mm512_unpacklo_epi32(w[i + 2], w[i + 3]), high23 = _mm512_unpackhi_epi32(w[i + 2], w[i + 3]);
        a[i] = _mm512_unpacklo_epi64(low01, low23);
        a[i + 1] = _mm512_unpackhi_epi64(low01, low23);
        a[i + 2] = _mm512_unpacklo_epi64(high01, high23);
        a[i + 3] = _mm512_unpackhi_epi64(high01, high23);
    }
    for (int j = 0; j < 4; ++j) {
        const __m512i even01 = _mm512_shuffle_i32x4(a[j], a[j + 4], 0x88), odd01 = _mm512_shuffle_i32x4(a[j], a[j + 4], 0xdd);
        const __m512i even23 = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0x88),
                      odd23 = _mm512_shuffle_i32x4(a[j + 8], a[j + 12], 0xdd);
        w[j] = _mm512_shuffle_i32x4(even01, even23, 0x88);
        w[j + 8] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
        w[j + 4] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
        w[j + 12] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
    }
}

inline void store_tiles(const __m512i* left, const __m512i* right, Bf16* to) {
    for (int i = 0; i < 16; ++i) _mm512_store_si512(to + 32 * i, left[i]);
    for (int i = 0; i < 16; ++i) _mm512_store_si512(to + kTile + 32 * i, right[i]);
}

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
        _tile_loadd(6, b + g * 2 * kTile, 64);
        _tile_loadd(7, b + g * 2 * kTile + kTile, 64);
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

}  // namespace

bool amx_available() {
    static const bool available = ask_for_tiles();
    return available;
}

void amx_weight_gradient(const AmxWeightGradient& args, std::int64_t n_begin, std::int64_t n_end, Bf16* scratch) {
    const TileConfig config;
    _tile_loadconfig(&config);
    const std::int64_t blocks = args.k / 32;
    Bf16* packed_dy = scratch;
    Bf16* packed_x = scratch + kAmxTokens * kAmxColumns;
    __m512i left[16], right[16];
    for (std::int64_t t = 0; t < args.tokens; t += kAmxTokens) {
        const std::int64_t count = least(kAmxTokens, args.tokens - t);
        const std::int64_t groups = (count + 31) / 32;
        for (std::int64_t g = 0; g < groups; ++g)
            for (std::int64_t block = 0; block < blocks; ++block) {
                pair_rows(args.x + (t + 32 * g) * args.x_stride + 32 * block, args.x_stride, count - 32 * g, left, right);
                store_tiles(left, right, packed_x + (block * kGroups + g) * 2 * kTile);
            }
        for (std::int64_t n = n_begin; n < n_end; n += kAmxColumns) {
            const std::int64_t columns = least(kAmxColumns, n_end - n) / 32;
            for (std::int64_t g = 0; g < groups; ++g)
                for (std::int64_t c = 0; c < columns; ++c) {
                    pair_rows(args.dy + (t + 32 * g) * args.dy_stride + n + 32 * c, args.dy_stride, count - 32 * g, left, right);
                    transpose(left);
                    transpose(right);
                    store_tiles(left, right, packed_dy + (c * kGroups + g) * 2 * kTile);
                }
            for (std::int64_t block = 0; block < blocks; ++block)
                for (std::int64_t c = 0; c < columns; ++c)
                    add_block(packed_dy + c * kGroups * 2 * kTile, packed_x + block * kGroups * 2 * kTile, groups,
                              args.dweight + (n + 32 * c) * args.dweight_stride + 32 * block, args.dweight_stride);
        }
    }
    _tile_release();
}

}  // namespace xlrm::cpu
