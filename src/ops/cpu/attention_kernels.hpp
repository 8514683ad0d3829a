#pragma once

#include "ops/cpu/product.hpp"
#include "ops/cpu/row_kernels.hpp"

// One task is one key/value head of one segment. The queries of all heads that share it are stacked (row = query · group + head),
// so short texts fill the tiles too. The scores of a strip of rows against all their keys are kept, hence softmax needs no
// rescaling and a row's bits do not depend on which rows lie beside it: masked scores are exact zeros in every later sum.
namespace xlrm::cpu::XLRM_ISA {

inline constexpr std::int64_t kStripRows = 32;

//! Hands out 64-byte aligned parts of the caller's scratch; with a null base it only counts.
template <class A>
struct Scratch {
    A* base;
    std::int64_t used = 0;
    A* take(std::int64_t n) {
        A* p = base == nullptr ? nullptr : base + used;
        used += round_up(n, std::int64_t(64 / sizeof(A)));
        return p;
    }
};

//! Key or value rows as panels of one vector of keys: element (key, i) at (key / lanes · d + i) · lanes + key % lanes.
template <class T>
XLRM_INLINE void pack_panels(const T* from, std::int64_t stride, std::int64_t d, std::int64_t first, std::int64_t count,
                             Accumulate<T>* to) {
    constexpr std::int64_t L = kLanes<T>;
    for (std::int64_t key = first; key < first + count; ++key, from += stride) {
        Accumulate<T>* column = to + key / L * d * L + key % L;
        for_row<T>(d, [&](std::int64_t i, std::int64_t n) {
            const Vec<T> x = load_n(from + i, n);
            for (std::int64_t k = 0; k < n; ++k) column[(i + k) * L] = x[k];
        });
    }
}

//! Rows widened (times `factor`) at distance `to_stride`.
template <class T>
XLRM_INLINE void pack_rows(const T* from, std::int64_t stride, std::int64_t d, std::int64_t count, Accumulate<T> factor,
                           Accumulate<T>* to, std::int64_t to_stride) {
    for (std::int64_t r = 0; r < count; ++r, from += stride, to += to_stride)
        for_row<T>(d, [&](std::int64_t i, std::int64_t n) { store_n(to + i, load_n(from + i, n) * factor, n); });
}

//! Sizes that follow from the arguments, and the mask.
template <class T>
struct AttentionShape {
    using A = Accumulate<T>;
    std::int64_t d, width, group, window;  //!< width: d rounded up to whole vectors
    A scale, cap;

    explicit AttentionShape(const AttentionArgs<T>& args)
        : d(args.head_dim),
          width(round_up(args.head_dim, kLanes<T>)),
          group(args.heads / args.kv_heads),
          window(args.window),
          scale(A(args.scale)),
          cap(A(args.soft_cap)) {}

    //! A query at position p of the list sees the keys [first_key(p), p].
    std::int64_t first_key(std::int64_t position) const { return window > 0 ? most(0, position - window + 1) : 0; }
};

//! A strip: rows [first, first + count) of a segment's stacked queries, and the keys [low, high) that any of them sees (low is a
//! multiple of the lanes; vectors cover the rest).
struct Strip {
    std::int64_t first, count, padded, low, high, vectors;
};
template <class T>
XLRM_INLINE Strip strip_at(const AttentionShape<T>& shape, const AttentionSegment& segment, std::int64_t first) {
    Strip s;
    s.first = first;
    s.count = least(kStripRows, segment.query_count * shape.group - first);
    s.padded = round_up(s.count, std::int64_t(kTileRows));
    s.low = shape.first_key(segment.queries[first / shape.group].position) / kLanes<T> * kLanes<T>;
    s.high = segment.queries[(first + s.count - 1) / shape.group].position + 1;
    s.vectors = (s.high - s.low + kLanes<T> - 1) / kLanes<T>;
    return s;
}

//! Rows of one strip gathered from [N, H, D] storage, times factor; padding rows are zero.
template <class T>
XLRM_INLINE void gather_strip(const AttentionShape<T>& shape, const AttentionSegment& segment, const Strip& strip, const T* head0,
                              std::int64_t token_stride, std::int64_t head_stride, Accumulate<T> factor, Accumulate<T>* to) {
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t row = strip.first + r;
        pack_rows(head0 + segment.queries[row / shape.group].row * token_stride + row % shape.group * head_stride, 0, shape.d, 1,
                  factor, to + r * shape.width, shape.width);
    }
    std::memset(to + strip.count * shape.width, 0,
                std::size_t((strip.padded - strip.count) * shape.width) * sizeof(Accumulate<T>));
}

template <class A>
struct ForwardScratch {
    A *keys, *values, *queries, *outs, *scores;
    std::int64_t used;
};
template <class T>
XLRM_INLINE ForwardScratch<Accumulate<T>> forward_scratch(const AttentionShape<T>& shape, std::int64_t keys, std::int64_t packed,
                                                          Accumulate<T>* base) {
    Scratch<Accumulate<T>> s{base};
    const std::int64_t n = round_up(keys, kLanes<T>), rows = round_up(packed, kLanes<T>);
    ForwardScratch<Accumulate<T>> parts{};
    parts.keys = s.take(rows * shape.d);
    parts.values = s.take(rows * shape.width);
    parts.queries = s.take(kStripRows * shape.width);
    parts.outs = s.take(kStripRows * shape.width);
    parts.scores = s.take(kStripRows * n);
    parts.used = s.used;
    return parts;
}
template <class T>
std::int64_t attention_scratch(const AttentionArgs<T>& args, std::int64_t keys, std::int64_t packed) {
    return forward_scratch<T>(AttentionShape<T>(args), keys, packed, nullptr).used;
}

//! Scores x[0, n) of one row become exp(x - max) for indices [from, to) and 0 elsewhere. Returns the sum; *top is the maximum.
template <class T>
XLRM_INLINE Accumulate<T> softmax_row(Accumulate<T>* x, std::int64_t n, std::int64_t from, std::int64_t to, Accumulate<T> cap,
                                      Accumulate<T>* top) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<A>;
    const std::int64_t used = round_up(to, L);
    const std::int64_t start = from / L * L;
    if (cap > A(0))
        for (std::int64_t j = start; j < used; j += L) store(x + j, tanh(load(x + j) / cap) * cap);
    for (std::int64_t j = start; j < from; ++j) x[j] = -A(__builtin_inf());
    for (std::int64_t j = to; j < used; ++j) x[j] = -A(__builtin_inf());
    Vec<A> tops = load(x + start);
    for (std::int64_t j = start + L; j < used; j += L) tops = larger(tops, load(x + j));
    *top = largest<A>(tops);
    Vec<A> s{};
    for (std::int64_t j = start; j < used; j += L) {
        const Vec<A> e = exp(load(x + j) - *top);
        s += e;
        store(x + j, e);
    }
    for (std::int64_t j = 0; j < start; j += L) store(x + j, Vec<A>{});
    for (std::int64_t j = used; j < n; j += L) store(x + j, Vec<A>{});
    return sum<A>(s);
}

template <class T>
std::int64_t page_bytes(std::int64_t head_dim) {
    return kPageKeys * (head_dim + round_up(head_dim, kLanes<T>)) * std::int64_t(sizeof(Accumulate<T>));
}

//! A head's part of a page: panels of its keys, then rows of its values.
template <class T>
void put_keys(const PageRows<T>& args) {
    using A = Accumulate<T>;
    const std::int64_t d = args.head_dim, width = round_up(d, kLanes<T>);
    A* keys = reinterpret_cast<A*>(args.part);
    pack_panels(args.k, args.k_token, d, args.first, args.count, keys);
    pack_rows(args.v, args.v_token, d, args.count, A(1), keys + kPageKeys * d + args.first * width, width);
}

//! Where a task's keys and values lie: panels and rows of the whole list, or parts of pages, `page_offset` bytes into each.
template <class A>
struct PackedKeys {
    const A *keys, *values;
    const char* const* pages;
    std::int64_t page_offset;
};

//! Packs the rows of a segment's list into the scratch, unless they lie in pages.
template <class T>
XLRM_INLINE PackedKeys<Accumulate<T>> pack_list(const AttentionArgs<T>& args, const AttentionShape<T>& shape,
                                                const AttentionSegment& segment, std::int64_t kv_head,
                                                const ForwardScratch<Accumulate<T>>& parts) {
    using A = Accumulate<T>;
    if (segment.pages != nullptr) return {nullptr, nullptr, segment.pages, kv_head * page_bytes<T>(shape.d)};
    const std::int64_t rows = round_up(segment.keys, kLanes<T>);
    std::memset(parts.keys, 0, std::size_t(rows * shape.d) * sizeof(A));
    if (shape.width != shape.d) std::memset(parts.values, 0, std::size_t(rows * shape.width) * sizeof(A));
    std::int64_t first = 0;
    for (std::int64_t i = 0; i < segment.range_count; ++i) {
        const KeyRows& range = segment.ranges[i];
        pack_panels(args.k + range.begin * args.k_token + kv_head * args.k_head, args.k_token, shape.d, first, range.length,
                    parts.keys);
        pack_rows(args.v + range.begin * args.v_token + kv_head * args.v_head, args.v_token, shape.d, range.length, A(1),
                  parts.values + first * shape.width, shape.width);
        first += range.length;
    }
    return {parts.keys, parts.values, nullptr, 0};
}

//! Calls body(first key, count, panels, rows) for the parts of the keys [low, high) that lie together; low is a multiple of the
//! lanes, and so is each part's first key.
template <class T, class Body>
XLRM_INLINE void for_parts(const AttentionShape<T>& shape, const PackedKeys<Accumulate<T>>& packed, std::int64_t low,
                           std::int64_t high, Body body) {
    using A = Accumulate<T>;
    if (packed.pages == nullptr) {
        body(low, high - low, packed.keys + low * shape.d, packed.values + low * shape.width);
        return;
    }
    for (std::int64_t key = low; key < high;) {
        const std::int64_t within = key % kPageKeys, count = least(kPageKeys - within, high - key);
        const A* part = reinterpret_cast<const A*>(packed.pages[key / kPageKeys] + packed.page_offset);
        body(key, count, part + within * shape.d, part + kPageKeys * shape.d + within * shape.width);
        key += count;
    }
}

//! The scores of a strip become weights; `totals` receives each row's sum of them.
template <class T>
XLRM_INLINE void softmax_strip(const AttentionArgs<T>& args, const AttentionShape<T>& shape, const AttentionSegment& segment,
                               const Strip& strip, std::int64_t head0, Accumulate<T>* scores, Accumulate<T>* totals) {
    using A = Accumulate<T>;
    const std::int64_t stride = strip.vectors * kLanes<T>;
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const QueryRow& query = segment.queries[(strip.first + r) / shape.group];
        A top;
        totals[r] = softmax_row<T>(scores + r * stride, stride, shape.first_key(query.position) - strip.low,
                                   query.position + 1 - strip.low, shape.cap, &top);
        if (args.lse != nullptr)
            args.lse[query.row * args.heads + head0 + (strip.first + r) % shape.group] =
                top + (sizeof(A) == 4 ? A(__builtin_logf(float(totals[r]))) : A(__builtin_log(totals[r])));
    }
}

template <class T>
void attention(const AttentionArgs<T>& args, const AttentionSegment& segment, std::int64_t kv_head, Accumulate<T>* scratch) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<T>;
    const AttentionShape<T> shape(args);
    const ForwardScratch<A> parts = forward_scratch<T>(shape, segment.keys, segment.pages != nullptr ? 0 : segment.keys, scratch);
    const PackedKeys<A> packed = pack_list(args, shape, segment, kv_head, parts);
    const std::int64_t head0 = kv_head * shape.group;
    for (std::int64_t first = 0; first < segment.query_count * shape.group; first += kStripRows) {
        const Strip strip = strip_at(shape, segment, first);
        const std::int64_t stride = strip.vectors * L;
        gather_strip(shape, segment, strip, args.q + head0 * args.q_head, args.q_token, args.q_head, shape.scale, parts.queries);
        for_parts(shape, packed, strip.low, strip.high, [&](std::int64_t key, std::int64_t count, const A* keys, const A*) {
            product<A, false>(strip.padded, (count + L - 1) / L, shape.d, {parts.queries, shape.width, 1}, {keys, L, shape.d * L},
                              parts.scores + key - strip.low, stride);
        });
        A totals[kStripRows];
        softmax_strip(args, shape, segment, strip, head0, parts.scores, totals);
        for_parts(shape, packed, strip.low, strip.high, [&](std::int64_t key, std::int64_t count, const A*, const A* values) {
            const Left<A> weights{parts.scores + key - strip.low, stride, 1};
            const Right<A> rows{values, shape.width, L};
            if (key == strip.low)
                product<A, false>(strip.padded, shape.width / L, count, weights, rows, parts.outs, shape.width);
            else
                product<A, true>(strip.padded, shape.width / L, count, weights, rows, parts.outs, shape.width);
        });
        for (std::int64_t r = 0; r < strip.count; ++r) {
            const std::int64_t row = first + r;
            narrow<T>(parts.outs + r * shape.width,
                      args.out + (segment.queries[row / shape.group].row * args.heads + head0 + row % shape.group) * shape.d,
                      A(1) / totals[r], shape.d);
        }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
