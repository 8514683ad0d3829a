#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops/cpu/amx.hpp"
#include "ops/cpu/isa.hpp"

namespace xlrm::cpu {
namespace {

bool ask_for_tiles() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    bool has = (d >> 22 & 1u) != 0 && (d >> 24 & 1u) != 0;                            // AMX-BF16, AMX-TILE
    has = has && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1u) != 0;  // AVX512-BF16
    if (!has || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
        return false;
    constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool amx_available() {
    static const bool available = highest_isa() == Isa::amx && ask_for_tiles();
    return available;
}

}  // namespace xlrm::cpu
