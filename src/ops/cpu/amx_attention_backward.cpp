#include <initializer_list>

#include "ops/cpu/amx_attention.hpp"

// Scores are made again, keys as rows: a block of 32 keys by 32 queries is at once the left operand of d(values) and d(keys).
namespace xlrm::cpu {
namespace {

constexpr std::int64_t kRows = 128;  // queries a strip: sums of d(keys) and d(values) are loaded and stored once for so many
constexpr std::int64_t kBlocks = kRows / 32;
constexpr std::int64_t kDistance = kRows + 32;

struct Parts {
    Bf16 *keys, *values;                 // [keys, depth]
    Bf16* keys_transposed;               // packed
    float *dkeys, *dvalues;              // [keys, depth]
    Bf16 *queries, *douts;               // [kRows, depth]
    Bf16 *query_columns, *dout_columns;  // packed, queries as columns
    Bf16 *query_depth, *dout_depth;      // packed, queries as depth
    float *scores, *dweights;            // one block
    Bf16 *weights, *dscores;             // [32, kDistance]
    Bf16* dscore_depth;                  // packed, keys as depth, for each group of keys and each block of queries
    float *lse, *delta;                  // [kRows]
    std::int32_t* positions;
    float* dqueries;  // one block, transposed
    std::int64_t used;
};
Parts parts_of(const TileAttention& shape, std::int64_t keys, char* base) {
    ScratchParts scratch(base);
    Parts p{};
    const std::int64_t rows = up_to_32(keys), strip = kRows * shape.depth;
    for (Bf16** part : {&p.keys, &p.values, &p.keys_transposed}) *part = scratch.take<Bf16>(rows * shape.depth);
    for (float** part : {&p.dkeys, &p.dvalues}) *part = scratch.take<float>(rows * shape.depth);
    for (Bf16** part : {&p.queries, &p.douts, &p.query_columns, &p.dout_columns, &p.query_depth, &p.dout_depth})
        *part = scratch.take<Bf16>(strip);
    for (float** part : {&p.scores, &p.dweights, &p.dqueries}) *part = scratch.take<float>(32 * 32);
    for (Bf16** part : {&p.weights, &p.dscores}) *part = scratch.take<Bf16>(32 * kDistance);
    p.dscore_depth = scratch.take<Bf16>(rows / 32 * kBlocks * 2 * kTile);
    for (float** part : {&p.lse, &p.delta}) *part = scratch.take<float>(kRows);
    p.positions = scratch.take<std::int32_t>(kRows);
    p.used = scratch.used();
    return p;
}

float dot(const Bf16* a, const Bf16* b, std::int64_t n) {
    amx::F32 low{}, high{};
    for (std::int64_t i = 0; i < n; i += 32) {
        const __m512i x = _mm512_maskz_loadu_epi16(first_columns(n - i), a + i),
                      y = _mm512_maskz_loadu_epi16(first_columns(n - i), b + i);
        low += widen(_mm512_castsi512_si256(x)) * widen(_mm512_castsi512_si256(y));
        high += widen(_mm512_extracti64x4_epi64(x, 1)) * widen(_mm512_extracti64x4_epi64(y, 1));
    }
    return _mm512_reduce_add_ps(low + high);
}

//! One head's work on one family of segments.
class Backward {
public:
    Backward(const AttentionBackwardArgs<Bf16>& args, std::int64_t kv_head, std::int64_t keys, char* scratch)
        : args_(args),
          fwd_(args.forward),
          shape_(args.forward),
          kv_head_(kv_head),
          head0_(kv_head * shape_.group),
          steps_(shape_.depth / 32),
          p_(parts_of(shape_, keys, scratch)) {}

    //! Keys [first, first + length) of the family's list become the rows from `begin` on; what follows to the group's end is
    //! zero.
    void take_keys(std::int64_t first, std::int64_t begin, std::int64_t length) {
        const auto take = [&](const Bf16* from, std::int64_t stride, Bf16* to) {
            copy_padded({from + begin * stride, stride, length, shape_.d}, to + first * shape_.depth, shape_.depth);
            std::memset(to + (first + length) * shape_.depth, 0,
                        std::size_t((up_to_32(first + length) - first - length) * shape_.depth) * sizeof(Bf16));
        };
        take(fwd_.k + kv_head_ * fwd_.k_head, fwd_.k_token, p_.keys);
        take(fwd_.v + kv_head_ * fwd_.v_head, fwd_.v_token, p_.values);
        const StridedRows rows{p_.keys, shape_.depth, up_to_32(first + length), shape_.depth};
        for (std::int64_t key = first / 32 * 32; key < rows.count; key += 32)
            pack_transposed(rows, key, p_.keys_transposed + key * shape_.depth);
    }
    void clear(std::int64_t first, std::int64_t end) {
        for (float* sums : {p_.dkeys, p_.dvalues})
            std::memset(sums + first * shape_.depth, 0, std::size_t((up_to_32(end) - first) * shape_.depth) * sizeof(float));
    }
    void write(std::int64_t first, std::int64_t begin, std::int64_t length) const {
        for (std::int64_t i = 0; i < length; ++i) {
            write_row(p_.dkeys + (first + i) * shape_.depth, shape_.scale,
                      args_.dk + (begin + i) * args_.dk_token + kv_head_ * args_.dk_head);
            write_row(p_.dvalues + (first + i) * shape_.depth, 1.0f,
                      args_.dv + (begin + i) * args_.dv_token + kv_head_ * args_.dv_head);
        }
    }
    void segment(const AttentionSegment& segment) {
        for (std::int64_t first = 0; first < segment.query_count * shape_.group; first += kRows) {
            const TileStrip strip = tile_strip(shape_, segment, first, kRows);
            take_queries(segment, strip);
            for (std::int64_t key = strip.low; key < strip.high; key += 32) key_group(strip, key);
            for (std::int64_t block = 0; 32 * block < strip.count; ++block) query_gradients(segment, strip, block);
        }
    }

private:
    void write_row(const float* from, float factor, Bf16* to) const {
        const __m512 f = _mm512_set1_ps(factor);
        for (std::int64_t i = 0; i < shape_.d; i += 32)
            _mm512_mask_storeu_epi16(to + i, first_columns(shape_.d - i),
                                     round_bf16(_mm512_load_ps(from + i) * f, _mm512_load_ps(from + i + 16) * f));
    }

    void take_queries(const AttentionSegment& segment, const TileStrip& strip) {
        gather_strip(shape_, segment, strip, fwd_.q + head0_ * fwd_.q_head, fwd_.q_token, fwd_.q_head, p_.queries, shape_.depth);
        gather_strip(shape_, segment, strip, args_.dout + head0_ * shape_.d, fwd_.heads * shape_.d, shape_.d, p_.douts,
                     shape_.depth);
        const std::int64_t rows = up_to_32(strip.count);
        for (std::int64_t r = 0; r < rows; r += 32) {
            const StridedRows queries{p_.queries, shape_.depth, rows, shape_.depth},
                douts{p_.douts, shape_.depth, rows, shape_.depth};
            pack_as_columns(queries, r, p_.query_columns + r * shape_.depth);
            pack_as_columns(douts, r, p_.dout_columns + r * shape_.depth);
            pack_as_depth(queries, r, p_.query_depth + r * shape_.depth);
            pack_as_depth(douts, r, p_.dout_depth + r * shape_.depth);
        }
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t row = least(strip.first + r, strip.first + strip.count - 1);
            const QueryRow& query = segment.queries[row / shape_.group];
            const std::int64_t at = query.row * fwd_.heads + head0_ + row % shape_.group;
            p_.positions[r] = std::int32_t(query.position);
            p_.lse[r] = r < strip.count ? fwd_.lse[at] : __builtin_inff();  // weights of rows behind the end are zero
            p_.delta[r] = r < strip.count ? dot(fwd_.out + at * shape_.d, args_.dout + at * shape_.d, shape_.d) : 0.0f;
        }
    }

    //! Weights and their gradients of 32 keys for all queries of the strip, and what they add to d(keys) and d(values).
    void key_group(const TileStrip& strip, std::int64_t key) {
        const std::int64_t blocks = (strip.count + 31) / 32;
        std::int64_t from = 0;
        while (from < blocks && p_.positions[32 * from + 31] < key) ++from;
        for (std::int64_t block = from; block < blocks; ++block) {
            const std::int64_t packed = 32 * block * shape_.depth;
            zero_sums();
            add_product({p_.keys + key * shape_.depth, shape_.depth}, p_.query_columns + packed, 2 * kTile, steps_);
            store_sums(p_.scores, 32);
            zero_sums();
            add_product({p_.values + key * shape_.depth, shape_.depth}, p_.dout_columns + packed, 2 * kTile, steps_);
            store_sums(p_.dweights, 32);
            const bool all_seen = key + 31 <= p_.positions[32 * block] &&
                                  (shape_.window == 0 || p_.positions[32 * block + 31] - key < shape_.window);
            if (shape_.cap > 0.0f)
                softmax_block<true, true>(key, 32 * block);
            else if (all_seen)
                softmax_block<false, false>(key, 32 * block);
            else
                softmax_block<false, true>(key, 32 * block);
            pack_as_depth({p_.dscores + 32 * block, kDistance, 32, 32}, 0,
                          p_.dscore_depth + (key / 32 * kBlocks + block) * 2 * kTile);
        }
        for (std::int64_t i = 0; i < steps_; ++i) {
            const std::int64_t packed = (from * steps_ + i) * 2 * kTile;
            add_to(p_.dvalues, p_.weights, p_.dout_depth + packed, key, i, from, blocks);
            add_to(p_.dkeys, p_.dscores, p_.query_depth + packed, key, i, from, blocks);
        }
    }

    void add_to(float* sums, const Bf16* left, const Bf16* right, std::int64_t key, std::int64_t column, std::int64_t from,
                std::int64_t blocks) const {
        load_sums(sums + key * shape_.depth + 32 * column, shape_.depth);
        add_product({left + 32 * from, kDistance}, right, steps_ * 2 * kTile, blocks - from);
        store_sums(sums + key * shape_.depth + 32 * column, shape_.depth);
    }

    //! 32 keys by 32 queries: the weights exp(score - lse), as powers of two, and weight · (dweight - delta) · slope of the cap.
    template <bool kCap, bool kMask>
    void softmax_block(std::int64_t key, std::int64_t row) const {
        amx::F32 lse[2], delta[2];
        __m512i positions[2];
        for (int h = 0; h < 2; ++h) {
            lse[h] = amx::load(p_.lse + row + 16 * h) * amx::kLog2E, delta[h] = amx::load(p_.delta + row + 16 * h);
            positions[h] = _mm512_load_si512(p_.positions + row + 16 * h);
        }
        for (std::int64_t i = 0; i < 32; ++i) {
            amx::F32 weight[2], dscore[2];
            for (int h = 0; h < 2; ++h) {
                amx::F32 x = amx::load(p_.scores + 32 * i + 16 * h), slope = amx::fill<float>(1.0f);
                if (kCap) {
                    const amx::F32 t = amx::tanh(x * shape_.scale / shape_.cap);
                    x = t * shape_.cap;
                    slope = 1.0f - t * t;
                }
                weight[h] = amx::power_of_two(x * ((kCap ? 1.0f : shape_.scale) * amx::kLog2E) - lse[h]);
                if (kMask) weight[h] = _mm512_maskz_mov_ps(seen(positions[h], std::int32_t(key + i)), weight[h]);
                dscore[h] = weight[h] * (amx::load(p_.dweights + 32 * i + 16 * h) - delta[h]);
                if (kCap) dscore[h] *= slope;
            }
            _mm512_store_si512(p_.weights + i * kDistance + row, round_bf16(weight[0], weight[1]));
            _mm512_store_si512(p_.dscores + i * kDistance + row, round_bf16(dscore[0], dscore[1]));
        }
    }

    __mmask16 seen(__m512i positions, std::int32_t key) const {
        const __mmask16 before = _mm512_cmpge_epi32_mask(positions, _mm512_set1_epi32(key));
        if (shape_.window == 0) return before;
        return before & _mm512_cmplt_epi32_mask(_mm512_sub_epi32(positions, _mm512_set1_epi32(key)),
                                                _mm512_set1_epi32(std::int32_t(shape_.window)));
    }

    //! d(queries) of 32 rows: keys transposed times the scores' gradients, 32 of the head's elements at a time.
    void query_gradients(const AttentionSegment& segment, const TileStrip& strip, std::int64_t block) const {
        const std::int64_t end = up_to_32(p_.positions[32 * block + 31] + 1);
        const std::int64_t count = least(32, strip.count - 32 * block);
        for (std::int64_t i = 0; i < steps_; ++i) {
            zero_sums();
            add_product({p_.keys_transposed + strip.low * shape_.depth + i * 2 * kTile, 32, 32 * shape_.depth},
                        p_.dscore_depth + (strip.low / 32 * kBlocks + block) * 2 * kTile, kBlocks * 2 * kTile,
                        (end - strip.low) / 32);
            store_sums(p_.dqueries, 32);
            for (std::int64_t half = 0; half < 2; ++half) {
                __m512i low[16], high[16];
                for (std::int64_t k = 0; k < 16; ++k) {
                    low[k] = _mm512_load_si512(p_.dqueries + 32 * k + 16 * half);
                    high[k] = _mm512_load_si512(p_.dqueries + 32 * (16 + k) + 16 * half);
                }
                transpose(low);
                transpose(high);
                for (std::int64_t r = 16 * half; r < least(16 * half + 16, count); ++r) {
                    const std::int64_t row = strip.first + 32 * block + r;
                    Bf16* to = args_.dq + segment.queries[row / shape_.group].row * args_.dq_token +
                               (head0_ + row % shape_.group) * args_.dq_head;
                    const __m512 f = _mm512_set1_ps(shape_.scale);
                    _mm512_mask_storeu_epi16(
                        to + 32 * i, first_columns(shape_.d - 32 * i),
                        round_bf16(_mm512_castsi512_ps(low[r - 16 * half]) * f, _mm512_castsi512_ps(high[r - 16 * half]) * f));
                }
            }
        }
    }

    const AttentionBackwardArgs<Bf16>& args_;
    const AttentionArgs<Bf16>& fwd_;
    const TileAttention shape_;
    const std::int64_t kv_head_, head0_, steps_;
    const Parts p_;
};

}  // namespace

std::int64_t amx_attention_backward_scratch(const AttentionBackwardArgs<Bf16>& args, std::int64_t keys) {
    return parts_of(TileAttention(args.forward), keys, nullptr).used;
}

void amx_attention_backward(const AttentionBackwardArgs<Bf16>& args, const AttentionSegment* segments, std::int64_t count,
                            std::int64_t kv_head, char* scratch) {
    std::int64_t keys = 0;
    for (std::int64_t i = 0; i < count; ++i) keys = most(keys, segments[i].keys);
    Backward backward(args, kv_head, keys, scratch);
    const TileConfig config;
    _tile_loadconfig(&config);
    // The first segment's keys stay in place as the prefix of the others.
    const std::int64_t shared = segments[0].keys;
    backward.clear(0, keys);
    for (std::int64_t i = 0; i < count; ++i) {
        const AttentionSegment& one = segments[i];
        const KeyRows& own = one.ranges[one.range_count - 1];
        const std::int64_t first = one.keys - own.length;
        backward.take_keys(first, own.begin, own.length);
        backward.segment(one);
        if (i == 0) continue;
        backward.write(first, own.begin, own.length);
        backward.clear(shared, keys);
    }
    backward.write(0, segments[0].ranges[0].begin, shared);
    _tile_release();
}

}  // namespace xlrm::cpu
