#include "ops/cpu/amx_attention.hpp"

namespace xlrm::cpu {
namespace {

constexpr std::int64_t kRows = 32;

struct Parts {
    Bf16 *keys, *values, *queries, *weights;
    float *scores, *outs;
    std::int64_t query_distance, score_distance, used;
};
Parts parts_of(const TileAttention& shape, std::int64_t keys, char* base) {
    ScratchParts scratch(base);
    Parts p{};
    const std::int64_t groups = up_to_32(keys) / 32;
    p.query_distance = shape.depth;
    p.score_distance = row_distance(keys);
    p.keys = scratch.take<Bf16>(groups * shape.packed());
    p.values = scratch.take<Bf16>(groups * shape.packed());
    p.queries = scratch.take<Bf16>(kRows * p.query_distance);
    p.weights = scratch.take<Bf16>(kRows * p.score_distance);
    p.scores = scratch.take<float>(kRows * p.score_distance);
    p.outs = scratch.take<float>(kRows * shape.depth);
    p.used = scratch.used();
    return p;
}

//! Of 32 scores all but [from, to) become -infinity. In whole vectors: a vector read behind narrower writes waits for them.
inline void mask_group(float* x, std::int64_t from, std::int64_t to) {
    const __mmask32 seen = first_columns(to) & ~first_columns(from);
    const __m512 none = _mm512_set1_ps(-__builtin_inff());
    _mm512_store_ps(x, _mm512_mask_mov_ps(none, __mmask16(seen), _mm512_load_ps(x)));
    _mm512_store_ps(x + 16, _mm512_mask_mov_ps(none, __mmask16(seen >> 16), _mm512_load_ps(x + 16)));
}

//! Scores x [0, n) of one row, of which [from, to) count, become weights exp(scale · x - top) in bf16; returns their sum before
//! they are rounded, and the scaled maximum. Whole vectors at multiples of 16 keys, so that the order of the sum is the row's
//! own.
float softmax_row(const TileAttention& shape, float* x, std::int64_t n, std::int64_t from, std::int64_t to, Bf16* weights,
                  float* top) {
    const std::int64_t start = from / 32 * 32, end = up_to_32(to);
    float scale = shape.scale;
    if (shape.cap > 0.0f) {
        for (std::int64_t j = start; j < end; j += 16)
            amx::store(x + j, amx::tanh(amx::load(x + j) * (scale / shape.cap)) * shape.cap);
        scale = 1.0f;
    }
    mask_group(x + start, from - start, to - start);
    if (end - 32 > start) mask_group(x + end - 32, 0, to - end + 32);
    __m512 low_tops = _mm512_load_ps(x + start), high_tops = _mm512_load_ps(x + start + 16);
    for (std::int64_t j = start + 32; j < end; j += 32) {
        low_tops = _mm512_max_ps(low_tops, _mm512_load_ps(x + j));
        high_tops = _mm512_max_ps(high_tops, _mm512_load_ps(x + j + 16));
    }
    const float highest = _mm512_reduce_max_ps(_mm512_max_ps(low_tops, high_tops)), factor = scale * amx::kLog2E,
                shift = highest * factor;
    *top = highest * scale;
    amx::F32 low_sum{}, high_sum{};
    for (std::int64_t j = start; j < end; j += 32) {
        const amx::F32 low = amx::power_of_two(amx::load(x + j) * factor - shift),
                       high = amx::power_of_two(amx::load(x + j + 16) * factor - shift);
        low_sum += low;
        high_sum += high;
        _mm512_store_si512(weights + j, round_bf16(low, high));
    }
    for (std::int64_t j = 0; j < start; j += 32) _mm512_store_si512(weights + j, _mm512_setzero_si512());
    for (std::int64_t j = end; j < n; j += 32) _mm512_store_si512(weights + j, _mm512_setzero_si512());
    return _mm512_reduce_add_ps(low_sum + high_sum);
}

//! The strip's scores, weights and outputs.
void attend(const AttentionArgs<Bf16>& args, const TileAttention& shape, const AttentionSegment& segment, const TileStrip& strip,
            std::int64_t head0, const Parts& p) {
    const std::int64_t steps = shape.depth / 32, n = strip.high - strip.low;
    gather_strip(shape, strip, args.q + segment.begin * args.q_token + head0 * args.q_head, args.q_token, args.q_head, p.queries,
                 p.query_distance);
    for (std::int64_t key = 0; key < n; key += 32) {
        zero_sums();
        add_product({p.queries, p.query_distance}, p.keys + (strip.low + key) / 32 * shape.packed(), 2 * kTile, steps);
        store_sums(p.scores + key, p.score_distance);
    }
    float totals[kRows] = {};
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t token = (strip.first + r) / shape.group, position = segment.prefix_length + token;
        float top = 0.0f;
        totals[r] = softmax_row(shape, p.scores + r * p.score_distance, n, shape.first_key(position) - strip.low,
                                position + 1 - strip.low, p.weights + r * p.score_distance, &top);
        if (args.lse != nullptr)
            args.lse[(segment.begin + token) * args.heads + head0 + (strip.first + r) % shape.group] =
                top + __builtin_logf(totals[r]);
    }
    for (std::int64_t i = 0; i < shape.depth; i += 32) {
        zero_sums();
        add_product({p.weights, p.score_distance}, p.values + strip.low / 32 * shape.packed() + i / 32 * 2 * kTile,
                    shape.packed(), n / 32);
        store_sums(p.outs + i, shape.depth);
    }
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t row = strip.first + r;
        Bf16* out = args.out + ((segment.begin + row / shape.group) * args.heads + head0 + row % shape.group) * shape.d;
        const amx::F32 factor = amx::fill<float>(1.0f / totals[r]);
        for (std::int64_t i = 0; i < shape.d; i += 32) {
            const amx::F32 low = amx::load(p.outs + r * shape.depth + i) * factor,
                           high = amx::load(p.outs + r * shape.depth + i + 16) * factor;
            _mm512_mask_storeu_epi16(out + i, first_columns(shape.d - i), round_bf16(low, high));
        }
    }
}

}  // namespace

std::int64_t amx_attention_scratch(const AttentionArgs<Bf16>& args, std::int64_t keys) {
    return parts_of(TileAttention(args), keys, nullptr).used;
}

void amx_attention(const AttentionArgs<Bf16>& args, const AttentionSegment& segment, std::int64_t kv_head, char* scratch) {
    const TileAttention shape(args);
    const Parts p = parts_of(shape, segment.prefix_length + segment.length, scratch);
    for_key_groups(shape, segment, args.k + kv_head * args.k_head, args.k_token,
                   [&](const StridedRows& rows, std::int64_t first, std::int64_t group) {
                       pack_as_columns(rows, first, p.keys + group * shape.packed());
                   });
    for_key_groups(shape, segment, args.v + kv_head * args.v_head, args.v_token,
                   [&](const StridedRows& rows, std::int64_t first, std::int64_t group) {
                       pack_as_depth(rows, first, p.values + group * shape.packed());
                   });
    const TileConfig config;
    _tile_loadconfig(&config);
    for (std::int64_t first = 0; first < segment.length * shape.group; first += kRows)
        attend(args, shape, segment, tile_strip(shape, segment, first, kRows), kv_head * shape.group, p);
    _tile_release();
}

}  // namespace xlrm::cpu
