#include <cassert>

#include "ops/cpu/amx.hpp"
#include "ops/cpu/pair_products.hpp"

namespace xlrm::cpu {

bool amx_available() { return false; }

void amx_weight_gradient(const WeightGradient<Bf16>&, std::int64_t, std::int64_t, Bf16*) { assert(false); }

std::int64_t amx_product_scratch(std::int64_t) { return 0; }

void amx_product(const Product<Bf16>&, Bf16*) { assert(false); }

std::int64_t amx_gated_product_scratch(std::int64_t) { return 0; }

void amx_gated_product(const AmxGatedProduct&, std::int64_t, std::int64_t, Bf16*) { assert(false); }

void amx_gated_backward(const AmxGatedBackward&, std::int64_t, std::int64_t, Bf16*) { assert(false); }

std::int64_t amx_attention_scratch(const AttentionArgs<Bf16>&, std::int64_t, std::int64_t) { return 0; }

void amx_attention(const AttentionArgs<Bf16>&, const AttentionSegment&, std::int64_t, char*) { assert(false); }

std::int64_t amx_attention_backward_scratch(const AttentionBackwardArgs<Bf16>&, std::int64_t) { return 0; }

void amx_attention_backward(const AttentionBackwardArgs<Bf16>&, const AttentionSegment*, std::int64_t, std::int64_t, char*) {
    assert(false);
}

std::int64_t amx_page_bytes(std::int64_t) { return 0; }

void amx_put_keys(const PageRows<Bf16>&) { assert(false); }

const PackedProducts<Bf16>* pair_products() { return nullptr; }

}  // namespace xlrm::cpu
