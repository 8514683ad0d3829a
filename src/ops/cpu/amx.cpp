#include "ops/cpu/amx.hpp"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops/cpu/amx_tiles.hpp"

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
                pair_rows(args.x + (t + 32 * g) * args.x_stride + 32 * block, args.x_stride, count - 32 * g, kAll, left, right);
                store_tiles(left, right, packed_x + (block * kGroups + g) * 2 * kTile);
            }
        for (std::int64_t n = n_begin; n < n_end; n += kAmxColumns) {
            const std::int64_t columns = least(kAmxColumns, n_end - n) / 32;
            for (std::int64_t g = 0; g < groups; ++g)
                for (std::int64_t c = 0; c < columns; ++c) {
                    pair_rows(args.dy + (t + 32 * g) * args.dy_stride + n + 32 * c, args.dy_stride, count - 32 * g, kAll, left,
                              right);
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
