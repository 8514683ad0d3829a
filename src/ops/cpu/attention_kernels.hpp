#pragma once

#include "ops/cpu/product.hpp"
#include "ops/cpu/row_kernels.hpp"

// One task is one key/value head of one segment. The queries of all heads that share it are stacked (row = token · group + head),
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

    //! A query at position p (counted over prefix and segment) sees the keys [first_key(p), p].
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
    s.count = least(kStripRows, segment.length * shape.group - first);
    s.padded = round_up(s.count, std::int64_t(kTileRows));
    s.low = shape.first_key(segment.prefix_length + first / shape.group) / kLanes<T> * kLanes<T>;
    s.high = segment.prefix_length + (first + s.count - 1) / shape.group + 1;
    s.vectors = (s.high - s.low + kLanes<T> - 1) / kLanes<T>;
    return s;
}

//! Rows of one strip gathered from [T, H, D] storage, times factor; padding rows are zero.
template <class T>
XLRM_INLINE void gather_strip(const AttentionShape<T>& shape, const Strip& strip, const T* head0, std::int64_t token_stride,
                              std::int64_t head_stride, Accumulate<T> factor, Accumulate<T>* to) {
    for (std::int64_t r = 0; r < strip.count; ++r) {
        const std::int64_t row = strip.first + r;
        pack_rows(head0 + row / shape.group * token_stride + row % shape.group * head_stride, 0, shape.d, 1, factor,
                  to + r * shape.width, shape.width);
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
XLRM_INLINE ForwardScratch<Accumulate<T>> forward_scratch(const AttentionShape<T>& shape, std::int64_t keys,
                                                          Accumulate<T>* base) {
    Scratch<Accumulate<T>> s{base};
    const std::int64_t n = round_up(keys, kLanes<T>);
    ForwardScratch<Accumulate<T>> parts{};
    parts.keys = s.take(n * shape.d);
    parts.values = s.take(n * shape.width);
    parts.queries = s.take(kStripRows * shape.width);
    parts.outs = s.take(kStripRows * shape.width);
    parts.scores = s.take(kStripRows * n);
    parts.used = s.used;
    return parts;
}
template <class T>
std::int64_t attention_scratch(const AttentionArgs<T>& args, std::int64_t keys) {
    return forward_scratch<T>(AttentionShape<T>(args), keys, nullptr).used;
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
void attention(const AttentionArgs<T>& args, const AttentionSegment& segment, std::int64_t kv_head, Accumulate<T>* scratch) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<T>;
    const AttentionShape<T> shape(args);
    const std::int64_t keys = segment.prefix_length + segment.length;
    const ForwardScratch<A> parts = forward_scratch<T>(shape, keys, scratch);
    std::memset(parts.keys, 0, std::size_t(round_up(keys, L) * shape.d) * sizeof(A));
    if (shape.width != shape.d) std::memset(parts.values, 0, std::size_t(round_up(keys, L) * shape.width) * sizeof(A));
    auto pack = [&](std::int64_t begin, std::int64_t first, std::int64_t count) {
        pack_panels(args.k + begin * args.k_token + kv_head * args.k_head, args.k_token, shape.d, first, count, parts.keys);
        pack_rows(args.v + begin * args.v_token + kv_head * args.v_head, args.v_token, shape.d, count, A(1),
                  parts.values + first * shape.width, shape.width);
    };
    pack(segment.prefix_begin, 0, segment.prefix_length);
    pack(segment.begin, segment.prefix_length, segment.length);
    const std::int64_t head0 = kv_head * shape.group;
    for (std::int64_t first = 0; first < segment.length * shape.group; first += kStripRows) {
        const Strip strip = strip_at(shape, segment, first);
        const std::int64_t stride = strip.vectors * L;
        gather_strip(shape, strip, args.q + segment.begin * args.q_token + head0 * args.q_head, args.q_token, args.q_head,
                     shape.scale, parts.queries);
        product<A, false>(strip.padded, strip.vectors, shape.d, {parts.queries, shape.width, 1},
                          {parts.keys + strip.low * shape.d, L, shape.d * L}, parts.scores, stride);
        A totals[kStripRows];
        for (std::int64_t r = 0; r < strip.count; ++r) {
            const std::int64_t row = first + r;
            const std::int64_t position = segment.prefix_length + row / shape.group;
            A top;
            totals[r] = softmax_row<T>(parts.scores + r * stride, stride, shape.first_key(position) - strip.low,
                                       position + 1 - strip.low, shape.cap, &top);
            if (args.lse != nullptr)
                args.lse[(segment.begin + row / shape.group) * args.heads + head0 + row % shape.group] =
                    top + (sizeof(A) == 4 ? A(__builtin_logf(float(totals[r]))) : A(__builtin_log(totals[r])));
        }
        product<A, false>(strip.padded, shape.width / L, strip.high - strip.low, {parts.scores, stride, 1},
                          {parts.values + strip.low * shape.width, shape.width, L}, parts.outs, shape.width);
        for (std::int64_t r = 0; r < strip.count; ++r) {
            const std::int64_t row = first + r;
            narrow<T>(parts.outs + r * shape.width,
                      args.out + ((segment.begin + row / shape.group) * args.heads + head0 + row % shape.group) * shape.d,
                      A(1) / totals[r], shape.d);
        }
    }
}

}  // namespace xlrm::cpu::XLRM_ISA
