#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_blocks.hpp"

namespace xlrm::cpu {
namespace {

//! 32 sums to y at (row, column), with the bias.
inline void store_row(const Product<Bf16>& args, const float* sums, std::int64_t row, std::int64_t column) {
    const __mmask32 mask = first_columns(args.n - column);
    __m512 low = _mm512_load_ps(sums), high = _mm512_load_ps(sums + 16);
    if (args.bias != nullptr) {
        const __m512i bias = _mm512_maskz_loadu_epi16(mask, args.bias + column);
        low = _mm512_add_ps(low, widen(_mm512_castsi512_si256(bias)));
        high = _mm512_add_ps(high, widen(_mm512_extracti64x4_epi64(bias, 1)));
    }
    _mm512_mask_storeu_epi16(args.y + row * args.y_stride + column, mask, round_bf16(low, high));
}

}  // namespace

std::int64_t amx_product_scratch(std::int64_t k) { return (block_columns(k) + 32) * up_to_32(k); }

void amx_product(const Product<Bf16>& args, Bf16* scratch) {
    multiply_all(args, scratch,
                 [&](const float* sums, std::int64_t row, std::int64_t column) { store_row(args, sums, row, column); });
}

}  // namespace xlrm::cpu
