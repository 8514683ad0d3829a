#include "ops/cpu/amx.hpp"
#include "ops/cpu/kernels.hpp"

namespace xlrm::cpu {
namespace {

Bf16* elements(char* scratch) { return reinterpret_cast<Bf16*>(scratch); }

const Bf16Products on_tiles{
    [](std::int64_t k) { return amx_product_scratch(k) * std::int64_t(sizeof(Bf16)); },
    [](const Bf16Product& args, char* scratch) { amx_product(args, elements(scratch)); },
    [] { return kAmxGradientScratch * std::int64_t(sizeof(Bf16)); },
    [](const Bf16WeightGradient& args, std::int64_t n_begin, std::int64_t n_end, char* scratch) {
        amx_weight_gradient(args, n_begin, n_end, elements(scratch));
    }};

const Bf16Products* choose() {
    if (amx_available()) return &on_tiles;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512bf16")) return &flat_kernels().wide;
#endif
    return nullptr;
}

}  // namespace

const Bf16Products* bf16_products() {
    static const Bf16Products* const chosen = choose();
    return chosen;
}

}  // namespace xlrm::cpu
