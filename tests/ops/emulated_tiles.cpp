#include <cstdio>
#include <cstdlib>

#include "ops/cpu/amx.hpp"
#include "ops/cpu/isa.hpp"

namespace xlrm::cpu {

//! In place of the library's: the tiles are emulated, their vectors are not.
bool amx_available() {
    if (highest_isa() != Isa::amx) return false;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq")) {
        std::puts("skipped: this processor has no AVX-512, whose vectors the kernels on tiles use");
        std::exit(77);
    }
    return true;
}

}  // namespace xlrm::cpu
