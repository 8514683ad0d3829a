#pragma once

#include "ops/cpu/kernels.hpp"

//! bf16 products on the matrix tiles (AMX) of newer Intel processors, which keep sums in fp32.
namespace xlrm::cpu {

//! Whether this processor has the tiles and the kernel lets this process use them. Always false where the compiler does not know
//! them.
bool amx_available();

//! Tokens that amx_weight_gradient packs at a time, and the largest part of dweight that it adds them to: both, packed and in
//! fp32, stay in the second-level cache.
inline constexpr std::int64_t kAmxTokens = 256;
inline constexpr std::int64_t kAmxGradientRows = 768;
inline constexpr std::int64_t kAmxGradientColumns = 768;
inline constexpr std::int64_t kAmxGradientScratch = kAmxTokens * (kAmxGradientRows + kAmxGradientColumns);

//! `scratch`: kAmxGradientScratch elements, aligned to 64 bytes.
void amx_weight_gradient(const WeightGradient<Bf16>& args, std::int64_t n_begin, std::int64_t n_end, Bf16* scratch);

//! `scratch`: amx_product_scratch(k) elements, aligned to 64 bytes.
std::int64_t amx_product_scratch(std::int64_t k);
void amx_product(const Product<Bf16>& args, Bf16* scratch);

//! y [rows, width] = act(gate) · up for the columns [begin, end), multiples of 16, where [gate, up] = x [rows, k] · w [2·width,
//! k]^T, each rounded to bf16 as amx_product does, and stored in gate_up [rows, 2·width] where that is asked for. y and gate_up
//! are contiguous.
struct AmxGatedProduct {
    const Bf16* x;
    std::int64_t x_stride;
    const Bf16* w;
    std::int64_t w_stride;
    Bf16* gate_up;  //!< or null
    Bf16* y;
    std::int64_t rows, k, width;
    bool gelu;
};
//! `scratch`: amx_gated_product_scratch(k) elements, aligned to 64 bytes.
std::int64_t amx_gated_product_scratch(std::int64_t k);
void amx_gated_product(const AmxGatedProduct& args, std::int64_t begin, std::int64_t end, Bf16* scratch);

//! d(gate_up) [rows, 2·width] for the columns [begin, end) of width, multiples of 16, where dy = dout [rows, k] · w [k, width],
//! rounded to bf16, is the gradient of act(gate) · up, which goes to y [rows, width] where it is asked for. All but dout and w
//! are contiguous.
struct AmxGatedBackward {
    const Bf16* dout;
    std::int64_t dout_stride;
    const Bf16* w;
    std::int64_t w_stride;
    const Bf16* gate_up;
    Bf16* dgate_up;
    Bf16* y;  //!< or null
    std::int64_t rows, k, width;
    bool gelu;
};
//! `scratch`: amx_product_scratch(k) elements, aligned to 64 bytes.
void amx_gated_backward(const AmxGatedBackward& args, std::int64_t begin, std::int64_t end, Bf16* scratch);

//! Kernels::attention on tiles, for heads of at most kAmxHeadDim elements. Scores, their maximum and their sum are fp32; weights
//! are rounded to bf16 for the product with the values. `scratch`: amx_attention_scratch bytes, aligned to 64, for lists of at
//! most `keys` keys, of at most `packed` where they are no cache's.
inline constexpr std::int64_t kAmxHeadDim = 512;
std::int64_t amx_attention_scratch(const AttentionArgs<Bf16>& args, std::int64_t keys, std::int64_t packed);
void amx_attention(const AttentionArgs<Bf16>& args, const AttentionSegment& segment, std::int64_t kv_head, char* scratch);
//! Kernels::attention_backward likewise: weights and their gradients are rounded to bf16 for the products, all sums are fp32.
std::int64_t amx_attention_backward_scratch(const AttentionBackwardArgs<Bf16>& args, std::int64_t keys);
void amx_attention_backward(const AttentionBackwardArgs<Bf16>& args, const AttentionSegment* segments, std::int64_t count,
                            std::int64_t kv_head, char* scratch);
//! Kernels::page_bytes and put_keys for amx_attention: packed groups of 32 keys, then those of the values.
std::int64_t amx_page_bytes(std::int64_t head_dim);
void amx_put_keys(const PageRows<Bf16>& args);

}  // namespace xlrm::cpu
