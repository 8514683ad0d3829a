#include "ops/cpu/amx.hpp"
#include "ops/cpu/isa.hpp"
#include "ops/cpu/kernels.hpp"
#include "ops/cpu/mkl.hpp"
#include "ops/cpu/pair_products.hpp"

namespace xlrm::cpu {
namespace {

Bf16* elements(char* scratch) { return reinterpret_cast<Bf16*>(scratch); }

const Products<Bf16> on_tiles{[](std::int64_t k) { return amx_product_scratch(k) * std::int64_t(sizeof(Bf16)); },
                              [](const Product<Bf16>& args, char* scratch) { amx_product(args, elements(scratch)); },
                              [] { return kAmxGradientScratch * std::int64_t(sizeof(Bf16)); },
                              [](const WeightGradient<Bf16>& args, std::int64_t n_begin, std::int64_t n_end, char* scratch) {
                                  amx_weight_gradient(args, n_begin, n_end, elements(scratch));
                              },
                              {}};

//! Processors whose vectors the kernels are written for.
constexpr bool kVectors =
#if defined(__x86_64__)
    true;
#else
    false;
#endif

bool has_bf16_instructions() {
#if defined(__x86_64__)
    return highest_isa() == Isa::amx && __builtin_cpu_supports("avx512bf16");
#else
    return true;
#endif
}

}  // namespace

template <>
const Products<Bf16>* own_products<Bf16>() {
    static const Products<Bf16>* const chosen = amx_available()                        ? &on_tiles
                                                : kVectors && !has_bf16_instructions() ? &kernels<Bf16>().products
                                                                                       : nullptr;
    return chosen;
}
template <>
const Products<float>* own_products<float>() {
    return kVectors && !mkl_adds_strictly() ? &kernels<float>().products : nullptr;
}
template <>
const Products<double>* own_products<double>() {
    return kVectors && !mkl_adds_strictly() ? &kernels<double>().products : nullptr;
}

template <>
const PackedProducts<Bf16>* packed_products<Bf16>() {
    return own_products<Bf16>() == nullptr && kVectors && has_bf16_instructions() ? pair_products() : nullptr;
}
template <>
const PackedProducts<float>* packed_products<float>() {
    const Products<float>* own = own_products<float>();
    return own != nullptr ? &own->packed : nullptr;
}
template <>
const PackedProducts<double>* packed_products<double>() {
    const Products<double>* own = own_products<double>();
    return own != nullptr ? &own->packed : nullptr;
}

}  // namespace xlrm::cpu
