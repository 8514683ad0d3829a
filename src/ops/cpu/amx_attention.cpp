#include "ops/cpu/amx_attention.hpp"

namespace xlrm::cpu {
namespace {

constexpr std::int64_t kRows = 32;

struct Parts {
    Bf16 *keys, *values, *queries, *weights;
    float *scores, *outs;
    std::int64_t query_distance, score_distance, used;
};
Parts parts_of(const TileAttention& shape, std::int64_t keys, std::int64_t packed, char* base) {
    ScratchParts scratch(base);
    Parts p{};
    const std::int64_t groups = up_to_32(packed) / 32;
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

//! Where a task's packed groups lie: those of the whole list, or parts of pages, `page_offset` elements into each.
struct PackedKeys {
    const Bf16 *keys, *values;
    const char* const* pages;
    std::int64_t page_offset;
};

constexpr std::int64_t kPageGroups = kPageKeys / 32;

//! Calls body(first key, groups, their keys, their values) for the parts of the keys [low, high), multiples of 32, that lie
//! together.
template <class Body>
void for_parts(const TileAttention& shape, const PackedKeys& packed, std::int64_t low, std::int64_t high, Body body) {
    if (packed.pages == nullptr) {
        const std::int64_t before = low / 32 * shape.packed();
        body(low, (high - low) / 32, packed.keys + before, packed.values + before);
        return;
    }
    for (std::int64_t key = low; key < high;) {
        const std::int64_t within = key % kPageKeys / 32, groups = least(kPageGroups - within, (high - key) / 32);
        const Bf16* part = reinterpret_cast<const Bf16*>(packed.pages[key / kPageKeys]) + packed.page_offset;
        body(key, groups, part + within * shape.packed(), part + (kPageGroups + within) * shape.packed());
        key += 32 * groups;
    }
}

//! Packs the rows of a segment's list into the scratch, unless they lie in pages.
PackedKeys pack_list(const AttentionArgs<Bf16>& args, const TileAttention& shape, const AttentionSegment& segment,
                     std::int64_t kv_head, const Parts& p) {
    if (segment.pages != nullptr) return {nullptr, nullptr, segment.pages, kv_head * 2 * kPageGroups * shape.packed()};
    for_key_groups(shape, segment, args.k + kv_head * args.k_head, args.k_token,
                   [&](const StridedRows& rows, std::int64_t first, std::int64_t group) {
                       pack_as_columns(rows, first, p.keys + group * shape.packed());
                   });
    for_key_groups(shape, segment, args.v + kv_head * args.v_head, args.v_token,
                   [&](const StridedRows& rows, std::int64_t first, std::int64_t group) {
                       pack_as_depth(rows, first, p.values + group * shape.packed());
                   });
    return {p.keys, p.values, nullptr, 0};
}

//! The strip's scores, weights and outputs.
void attend(const AttentionArgs<Bf16>& args, const TileAttention& shape, const AttentionSegment& segment, const TileStrip& strip,
            std::int64_t head0, const PackedKeys& packed, const Parts& p) {
    const std::int64_t steps = shape.depth / 32, n = strip.high - strip.low;
    gather_strip(shape, segment, strip, args.q + head0 * args.q_head, args.q_token, args.q_head, p.queries, p.query_distance);
    for_parts(shape, packed, strip.low, strip.high, [&](std::int64_t key, std::int64_t groups, const Bf16* keys, const Bf16*) {
        for (std::int64_t g = 0; g < groups; ++g) {
            zero_sums();
            add_product({p.queries, p.query_distance}, keys + g * shape.packed(), 2 * kTile, steps);
            store_sums(p.scores + key - strip.low + 32 * g, p.score_distance);
        }
    });
    float totals[kRows] = {};
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const QueryRow& query = segment.queries[(strip.first + r) / shape.group];
        float top = 0.0f;
        totals[r] = softmax_row(shape, p.scores + r * p.score_distance, n, shape.first_key(query.position) - strip.low,
                                query.position + 1 - strip.low, p.weights + r * p.score_distance, &top);
        if (args.lse != nullptr)
            args.lse[query.row * args.heads + head0 + (strip.first + r) % shape.group] = top + __builtin_logf(totals[r]);
    }
    for (std::int64_t i = 0; i < shape.depth; i += 32) {
        zero_sums();
        for_parts(
            shape, packed, strip.low, strip.high, [&](std::int64_t key, std::int64_t groups, const Bf16*, const Bf16* values) {
                add_product({p.weights + key - strip.low, p.score_distance}, values + i / 32 * 2 * kTile, shape.packed(), groups);
            });
        store_sums(p.outs + i, shape.depth);
    }
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t row = strip.first + r;
        Bf16* out = args.out + (segment.queries[row / shape.group].row * args.heads + head0 + row % shape.group) * shape.d;
        const amx::F32 factor = amx::fill<float>(1.0f / totals[r]);
        for (std::int64_t i = 0; i < shape.d; i += 32) {
            const amx::F32 low = amx::load(p.outs + r * shape.depth + i) * factor,
                           high = amx::load(p.outs + r * shape.depth + i + 16) * factor;
            _mm512_mask_storeu_epi16(out + i, first_columns(shape.d - i), round_bf16(low, high));
        }
    }
}

}  // namespace

std::int64_t amx_attention_scratch(const AttentionArgs<Bf16>& args, std::int64_t keys, std::int64_t packed) {
    return parts_of(TileAttention(args), keys, packed, nullptr).used;
}

void amx_attention(const AttentionArgs<Bf16>& args, const AttentionSegment& segment, std::int64_t kv_head, char* scratch) {
    const TileAttention shape(args);
    const Parts p = parts_of(shape, segment.keys, segment.pages != nullptr ? 0 : segment.keys, scratch);
    const PackedKeys packed = pack_list(args, shape, segment, kv_head, p);
    const TileConfig config;
    _tile_loadconfig(&config);
    for (std::int64_t first = 0; first < segment.query_count * shape.group; first += kRows)
        attend(args, shape, segment, tile_strip(shape, segment, first, kRows), kv_head * shape.group, packed, p);
    _tile_release();
}

}  // namespace xlrm::cpu
