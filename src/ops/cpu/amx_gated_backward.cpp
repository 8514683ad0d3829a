#define XLRM_ISA amx
#define XLRM_VECTOR_BYTES 64
#include "ops/cpu/amx.hpp"
#include "ops/cpu/amx_blocks.hpp"
#include "ops/cpu/row_kernels.hpp"

namespace xlrm::cpu {
namespace {

//! Half a row of sums, dy of 16 columns, to (row, column).
inline void store_half(const AmxGatedBackward& args, __m256i dy, std::int64_t row, std::int64_t column) {
    const std::int64_t at = row * 2 * args.width + column;
    const amx::F32 up = amx::load(args.gate_up + at + args.width), g = widen(dy);
    amx::F32 slope;
    const amx::F32 act = amx::activate<Bf16>(args.gelu, amx::load(args.gate_up + at), &slope);
    amx::store(args.dgate_up + at, g * up * slope);
    amx::store(args.dgate_up + at + args.width, g * act);
    if (args.y != nullptr) amx::store(args.y + row * args.width + column, act * up);
}

}  // namespace

void amx_gated_backward(const AmxGatedBackward& args, std::int64_t begin, std::int64_t end, Bf16* scratch) {
    const Product<Bf16> product{args.dout, args.dout_stride, args.w + begin, args.w_stride, false, nullptr, nullptr,
                                0,         args.rows,        args.k,         end - begin};
    multiply_all(product, scratch, [&](const float* sums, std::int64_t row, std::int64_t column) {
        const __m512i dy = round_bf16(_mm512_load_ps(sums), _mm512_load_ps(sums + 16));
        store_half(args, _mm512_castsi512_si256(dy), row, begin + column);
        if (begin + column + 16 < end) store_half(args, _mm512_extracti64x4_epi64(dy, 1), row, begin + column + 16);
    });
}

}  // namespace xlrm::cpu
