#pragma once

#include "ops/cpu/attention_kernels.hpp"

namespace xlrm::cpu::XLRM_ISA {

template <class A>
struct BackwardScratch {
    A *keys, *values, *key_rows, *dkeys, *dvalues, *queries, *douts, *dqueries, *weights, *dscores;
    std::int64_t used;
};
template <class T>
XLRM_INLINE BackwardScratch<Accumulate<T>> backward_scratch(const AttentionShape<T>& shape, std::int64_t keys,
                                                            Accumulate<T>* base) {
    Scratch<Accumulate<T>> s{base};
    const std::int64_t n = round_up(keys, kLanes<T>);
    BackwardScratch<Accumulate<T>> parts{};
    parts.keys = s.take(n * shape.d);
    parts.values = s.take(n * shape.d);
    parts.key_rows = s.take(n * shape.width);
    parts.dkeys = s.take(n * shape.width);
    parts.dvalues = s.take(n * shape.width);
    parts.queries = s.take(kStripRows * shape.width);
    parts.douts = s.take(kStripRows * shape.width);
    parts.dqueries = s.take(kStripRows * shape.width);
    parts.weights = s.take(kStripRows * n);
    parts.dscores = s.take(kStripRows * n);
    parts.used = s.used;
    return parts;
}
template <class T>
std::int64_t attention_backward_scratch(const AttentionBackwardArgs<T>& args, std::int64_t keys) {
    return backward_scratch<T>(AttentionShape<T>(args.forward), keys, nullptr).used;
}

//! Of one row: scores x become the weights exp(x - lse), and dx (on entry d(out) · values) the gradient with respect to the
//! scaled scores.
template <class T>
XLRM_INLINE void softmax_row_backward(Accumulate<T>* x, Accumulate<T>* dx, std::int64_t n, std::int64_t from, std::int64_t to,
                                      Accumulate<T> cap, Accumulate<T> lse, Accumulate<T> delta) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<A>;
    const std::int64_t start = from / L * L;
    const std::int64_t used = round_up(to, L);
    for (std::int64_t j = 0; j < start; j += L) store(x + j, Vec<A>{}), store(dx + j, Vec<A>{});
    for (std::int64_t j = used; j < n; j += L) store(x + j, Vec<A>{}), store(dx + j, Vec<A>{});
    for (std::int64_t j = start; j < from; ++j) x[j] = -A(__builtin_inf());
    for (std::int64_t j = to; j < used; ++j) x[j] = -A(__builtin_inf());
    for (std::int64_t j = start; j < used; j += L) {
        Vec<A> score = load(x + j);
        Vec<A> slope = fill<A>(A(1));
        if (cap > A(0)) {
            const Vec<A> t = tanh(score / cap);
            const Vec<A> masked = score;
            score = t * cap;
            slope = 1 - t * t;
            score = masked < -A(1e30) ? masked : score;
        }
        const Vec<A> p = exp(score - lse);
        store(x + j, p);
        store(dx + j, p * (load(dx + j) - delta) * slope);
    }
}

template <class T>
void segment_backward(const AttentionBackwardArgs<T>& args, const AttentionShape<T>& shape, const AttentionSegment& segment,
                      std::int64_t kv_head, const BackwardScratch<Accumulate<T>>& parts) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<T>;
    const AttentionArgs<T>& fwd = args.forward;
    const std::int64_t head0 = kv_head * shape.group;
    const std::int64_t vectors_d = shape.width / L;
    for (std::int64_t first = 0; first < segment.query_count * shape.group; first += kStripRows) {
        const Strip strip = strip_at(shape, segment, first);
        const std::int64_t stride = strip.vectors * L;
        gather_strip(shape, segment, strip, fwd.q + head0 * fwd.q_head, fwd.q_token, fwd.q_head, shape.scale, parts.queries);
        gather_strip(shape, segment, strip, args.dout + head0 * shape.d, fwd.heads * shape.d, shape.d, A(1), parts.douts);
        product<A, false>(strip.padded, strip.vectors, shape.d, {parts.queries, shape.width, 1},
                          {parts.keys + strip.low * shape.d, L, shape.d * L}, parts.weights, stride);
        product<A, false>(strip.padded, strip.vectors, shape.d, {parts.douts, shape.width, 1},
                          {parts.values + strip.low * shape.d, L, shape.d * L}, parts.dscores, stride);
        for (std::int64_t r = 0; r < strip.count; ++r) {
            const QueryRow& query = segment.queries[(first + r) / shape.group];
            const std::int64_t position = query.position;
            const std::int64_t at = query.row * fwd.heads + head0 + (first + r) % shape.group;
            const A delta = dot_row(fwd.out + at * shape.d, parts.douts + r * shape.width, shape.d);
            softmax_row_backward<T>(parts.weights + r * stride, parts.dscores + r * stride, stride,
                                    shape.first_key(position) - strip.low, position + 1 - strip.low, shape.cap, fwd.lse[at],
                                    delta);
        }
        for (std::int64_t r = strip.count; r < strip.padded; ++r) {
            std::memset(parts.weights + r * stride, 0, std::size_t(stride) * sizeof(A));
            std::memset(parts.dscores + r * stride, 0, std::size_t(stride) * sizeof(A));
        }
        product<A, true>(stride, vectors_d, strip.padded, {parts.weights, 1, stride}, {parts.douts, shape.width, L},
                         parts.dvalues + strip.low * shape.width, shape.width);
        product<A, true>(stride, vectors_d, strip.padded, {parts.dscores, 1, stride}, {parts.queries, shape.width, L},
                         parts.dkeys + strip.low * shape.width, shape.width);
        product<A, false>(strip.padded, vectors_d, strip.high - strip.low, {parts.dscores, stride, 1},
                          {parts.key_rows + strip.low * shape.width, shape.width, L}, parts.dqueries, shape.width);
        for (std::int64_t r = 0; r < strip.count; ++r)
            narrow<T>(parts.dqueries + r * shape.width,
                      args.dq + segment.queries[(first + r) / shape.group].row * args.dq_token +
                          (head0 + (first + r) % shape.group) * args.dq_head,
                      shape.scale, shape.d);
    }
}

template <class T>
void attention_backward(const AttentionBackwardArgs<T>& args, const AttentionSegment* segments, std::int64_t count,
                        std::int64_t kv_head, Accumulate<T>* scratch) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<T>;
    const AttentionArgs<T>& fwd = args.forward;
    const AttentionShape<T> shape(fwd);
    std::int64_t keys = 0;
    for (std::int64_t i = 0; i < count; ++i) keys = most(keys, segments[i].keys);
    const BackwardScratch<A> parts = backward_scratch<T>(shape, keys, scratch);
    const std::int64_t rows = round_up(keys, L);
    std::memset(parts.keys, 0, std::size_t(rows * shape.d) * sizeof(A));
    std::memset(parts.values, 0, std::size_t(rows * shape.d) * sizeof(A));
    std::memset(parts.key_rows, 0, std::size_t(rows * shape.width) * sizeof(A));
    // The first segment's keys stay in place as the prefix of the others.
    const std::int64_t shared = segments[0].keys;
    auto clear = [&](std::int64_t first) {
        std::memset(parts.dkeys + first * shape.width, 0, std::size_t((rows - first) * shape.width) * sizeof(A));
        std::memset(parts.dvalues + first * shape.width, 0, std::size_t((rows - first) * shape.width) * sizeof(A));
    };
    auto write = [&](std::int64_t first, std::int64_t length, std::int64_t begin) {
        for (std::int64_t i = 0; i < length; ++i) {
            narrow<T>(parts.dkeys + (first + i) * shape.width, args.dk + (begin + i) * args.dk_token + kv_head * args.dk_head,
                      A(1), shape.d);
            narrow<T>(parts.dvalues + (first + i) * shape.width, args.dv + (begin + i) * args.dv_token + kv_head * args.dv_head,
                      A(1), shape.d);
        }
    };
    clear(0);
    for (std::int64_t i = 0; i < count; ++i) {
        const AttentionSegment& segment = segments[i];
        const KeyRows& own = segment.ranges[segment.range_count - 1];
        const std::int64_t first = segment.keys - own.length;
        const T* k = fwd.k + own.begin * fwd.k_token + kv_head * fwd.k_head;
        pack_panels(k, fwd.k_token, shape.d, first, own.length, parts.keys);
        pack_rows(k, fwd.k_token, shape.d, own.length, A(1), parts.key_rows + first * shape.width, shape.width);
        pack_panels(fwd.v + own.begin * fwd.v_token + kv_head * fwd.v_head, fwd.v_token, shape.d, first, own.length,
                    parts.values);
        segment_backward(args, shape, segment, kv_head, parts);
        if (i > 0) {
            write(first, own.length, own.begin);
            clear(shared);
        }
    }
    write(0, shared, segments[0].ranges[0].begin);
}

}  // namespace xlrm::cpu::XLRM_ISA
