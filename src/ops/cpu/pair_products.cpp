#include <immintrin.h>

#include "ops/cpu/pair_products.hpp"

// Included by this file alone, which is compiled for processors with AVX512-BF16: their dpbf16ps adds to 16 sums in fp32 the
// products of 16 pairs of bf16. A panel is 32 columns, for each pair of the depth 32 words that hold a column's pair; a strip is
// 8 rows.
namespace xlrm::cpu {
namespace {

constexpr std::int64_t kRows = 8, kPanel = 32, kLine = 16;
constexpr std::int64_t kRowsAtATime = 16 * kRows;  //!< whose strips stay in the second-level cache while the panels pass by

std::int64_t pairs_of(std::int64_t k) { return (k + 1) / 2; }
//! Pairs of the depth in one chain; the sums of such parts are then added in order. oneDNN's bf16 matmul (3.10, brgemm on
//! AVX512-BF16) divides the depth like this, found by sums in which 1 is lost beside 2^24; a strip of 512 pairs stays in the
//! first-level cache.
std::int64_t part_of(std::int64_t k) { return k <= 1024 ? 256 : 512; }
std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
//! Distance of a strip's rows: they do not all fall into one set of the cache.
std::int64_t strip_stride(std::int64_t pairs) { return (pairs + 15) / 16 * 16 + 16; }

//! Pairs [first, first + count) of a row of k elements, each `step` words behind the one before; behind an odd element is a zero.
void copy_pairs(const Bf16* row, std::int64_t k, std::int64_t first, std::int64_t count, std::int64_t step, std::uint32_t* to) {
    const std::int64_t whole = least(count, k / 2 - first);
    for (std::int64_t p = 0; p < whole; ++p) __builtin_memcpy(to + p * step, row + 2 * (first + p), sizeof(std::uint32_t));
    if (whole < count) to[whole * step] = row[k - 1].bits;
}

void pack(const Product<Bf16>& args, std::int64_t begin, std::int64_t end, float* packed) {
    const std::int64_t pairs = pairs_of(args.k);
    for (std::int64_t panel = begin; panel < end; ++panel) {
        auto* words = reinterpret_cast<std::uint32_t*>(packed) + panel * pairs * kPanel;
        for (std::int64_t c = 0; c < kPanel; ++c) {
            const std::int64_t column = panel * kPanel + c;
            if (column < args.n)
                copy_pairs(args.w + column * args.w_stride, args.k, 0, pairs, kPanel, words + c);
            else
                for (std::int64_t p = 0; p < pairs; ++p) words[p * kPanel + c] = 0;
        }
    }
}

std::int64_t panel_size(std::int64_t k) { return pairs_of(k) * kPanel; }

std::int64_t scratch_bytes(std::int64_t k) {
    const std::int64_t part = part_of(k), parts = (pairs_of(k) + part - 1) / part;
    return std::int64_t(sizeof(float)) * kRowsAtATime * (parts * strip_stride(part) + kPanel);
}

//! kAdd: to the sums of the parts before. `ahead`: asks for a line of the memory there with each pair; null: for none.
template <bool kAdd>
void tile(const std::uint32_t* left, std::int64_t left_stride, const std::uint32_t* right, std::int64_t pairs,
          const std::uint32_t* ahead, float* sums) {
    __m512 s[kRows][2];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) s[r][v] = _mm512_setzero_ps();
    const std::int64_t line = ahead == nullptr ? 0 : kLine;
    if (ahead == nullptr) ahead = right;
    for (std::int64_t p = 0; p < pairs; ++p) {
        _mm_prefetch(ahead + p * line, _MM_HINT_T1);
        const auto low = __m512bh(_mm512_load_si512(right + p * kPanel));
        const auto high = __m512bh(_mm512_load_si512(right + p * kPanel + 16));
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const auto pair = __m512bh(_mm512_set1_epi32(int(left[r * left_stride + p])));
            s[r][0] = _mm512_dpbf16_ps(s[r][0], pair, low);
            s[r][1] = _mm512_dpbf16_ps(s[r][1], pair, high);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
            float* const to = sums + r * kPanel + v * 16;
            _mm512_store_ps(to, kAdd ? _mm512_add_ps(_mm512_load_ps(to), s[r][v]) : s[r][v]);
        }
}

//! The sums [kRows, kPanel] of one strip and one panel to y, with the bias.
void store(const Product<Bf16>& args, const float* sums, std::int64_t row, std::int64_t column) {
    const std::int64_t rows = least(kRows, args.rows - row);
    for (std::int64_t c = 0; c < kPanel && column + c < args.n; c += 16) {
        const auto mask = __mmask16((1u << least(16, args.n - column - c)) - 1u);
        __m512 bias = _mm512_setzero_ps();
        if (args.bias != nullptr) {
            const __m256i half = _mm256_maskz_loadu_epi16(mask, args.bias + column + c);
            bias = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
        }
        for (std::int64_t r = 0; r < rows; ++r) {
            const __m512 sum = _mm512_add_ps(_mm512_load_ps(sums + r * kPanel + c), bias);
            _mm256_mask_storeu_epi16(args.y + (row + r) * args.y_stride + column + c, mask, __m256i(_mm512_cvtneps_pbh(sum)));
        }
    }
}

void product(const Product<Bf16>& args, const float* packed, std::int64_t begin, std::int64_t end, char* scratch) {
    const std::int64_t pairs = pairs_of(args.k), part = part_of(args.k), parts = (pairs + part - 1) / part;
    const std::int64_t stride = strip_stride(part), part_size = kRowsAtATime * stride;
    auto* const strips = reinterpret_cast<std::uint32_t*>(scratch);
    auto* const sums = reinterpret_cast<float*>(strips + parts * part_size);
    const auto* const words = reinterpret_cast<const std::uint32_t*>(packed);
    for (std::int64_t row = 0; row < args.rows; row += kRowsAtATime) {
        const std::int64_t rows = (least(kRowsAtATime, args.rows - row) + kRows - 1) / kRows * kRows;
        for (std::int64_t i = 0; i < parts; ++i)
            for (std::int64_t r = 0; r < rows; ++r) {
                std::uint32_t* to = strips + i * part_size + r * stride;
                const std::int64_t count = least(part, pairs - i * part);
                if (row + r < args.rows)
                    copy_pairs(args.x + (row + r) * args.x_stride, args.k, i * part, count, 1, to);
                else
                    __builtin_memset(to, 0, std::size_t(count) * sizeof *to);
            }
        for (std::int64_t panel = begin; panel < end; ++panel)
            for (std::int64_t i = 0; i < parts; ++i) {
                const std::uint32_t* right = words + (panel * pairs + i * part) * kPanel;
                const std::int64_t count = least(part, pairs - i * part);
                // What follows comes from memory while the strips after the first are computed: it has two lines a pair.
                const std::uint32_t* const next = right + count * kPanel;
                for (std::int64_t r = 0; r < rows; r += kRows) {
                    const std::uint32_t* left = strips + i * part_size + r * stride;
                    const std::uint32_t* ahead = r == kRows ? next : r == 2 * kRows ? next + count * kLine : nullptr;
                    (i == 0 ? tile<false> : tile<true>)(left, stride, right, count, ahead, sums + r * kPanel);
                    if (i + 1 == parts) store(args, sums + r * kPanel, row + r, panel * kPanel);
                }
            }
    }
}

}  // namespace

const PackedProducts<Bf16>* pair_products() {
    static constexpr PackedProducts<Bf16> kTable{kPanel, panel_size, pack, scratch_bytes, product};
    return &kTable;
}

}  // namespace xlrm::cpu
