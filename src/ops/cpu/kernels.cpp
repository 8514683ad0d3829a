#include "ops/cpu/kernels.hpp"

#include "ops/cpu/isa.hpp"

namespace xlrm::cpu {

namespace baseline {
template <class T>
Kernels<T> table();
FlatKernels flat_table();
}  // namespace baseline

#ifdef XLRM_HAVE_AVX512
namespace avx512 {
template <class T>
Kernels<T> table();
FlatKernels flat_table();
}  // namespace avx512

namespace {
bool has_avx512() {
    return highest_isa() >= Isa::avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}
}  // namespace

template <class T>
const Kernels<T>& kernels() {
    static const Kernels<T> chosen = has_avx512() ? avx512::table<T>() : baseline::table<T>();
    return chosen;
}
const FlatKernels& flat_kernels() {
    static const FlatKernels chosen = has_avx512() ? avx512::flat_table() : baseline::flat_table();
    return chosen;
}
#else
template <class T>
const Kernels<T>& kernels() {
    static const Kernels<T> chosen = baseline::table<T>();
    return chosen;
}
const FlatKernels& flat_kernels() {
    static const FlatKernels chosen = baseline::flat_table();
    return chosen;
}
#endif

template const Kernels<float>& kernels<float>();
template const Kernels<Bf16>& kernels<Bf16>();
template const Kernels<double>& kernels<double>();

}  // namespace xlrm::cpu
