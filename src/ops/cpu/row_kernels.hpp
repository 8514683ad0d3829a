#pragma once

#include "ops/cpu/simd_math.hpp"

namespace xlrm::cpu::XLRM_ISA {

template <class T>
XLRM_INLINE T* row_at(const Rows<T>& rows, std::int64_t r) {
    return rows.data + r / rows.heads * rows.token_stride + r % rows.heads * rows.head_stride;
}

//! Dot product in four running sums; the order depends on n alone.
template <class T, class U>
XLRM_INLINE Accumulate<T> dot_row(const T* x, const U* y, std::int64_t n) {
    constexpr std::int64_t L = kLanes<T>;
    Vec<T> s0{}, s1{}, s2{}, s3{};
    std::int64_t i = 0;
    for (; i + 4 * L <= n; i += 4 * L) {
        s0 += load(x + i) * load(y + i);
        s1 += load(x + i + L) * load(y + i + L);
        s2 += load(x + i + 2 * L) * load(y + i + 2 * L);
        s3 += load(x + i + 3 * L) * load(y + i + 3 * L);
    }
    for (; i < n; i += L) s0 += load_n(x + i, least(L, n - i)) * load_n(y + i, least(L, n - i));
    return sum<Accumulate<T>>((s0 + s1) + (s2 + s3));
}

template <class T>
void norm(const NormArgs<T>& args, std::int64_t begin, std::int64_t end) {
    const std::int64_t d = args.d;
    for (std::int64_t r = begin; r < end; ++r) {
        const T* x = row_at(args.x, r);
        if (args.delta != nullptr) {
            const T* delta = args.delta + r * d;
            T* sum = args.sum + r * d;
            for_row<T>(d, [&](std::int64_t i, std::int64_t n) { store_n(sum + i, load_n(x + i, n) + load_n(delta + i, n), n); });
            x = sum;
        }
        using A = Accumulate<T>;
        const A mean = dot_row(x, x, d) / A(d);
        const A rstd =
            A(1) / (sizeof(A) == 4 ? A(__builtin_sqrtf(float(mean + A(args.eps)))) : A(__builtin_sqrt(mean + A(args.eps))));
        args.rstd[r] = rstd;
        T* y = args.y + r * d;
        for_row<T>(d, [&](std::int64_t i, std::int64_t n) {
            const Vec<T> normed = load_n(x + i, n) * rstd;
            const Vec<T> w = load_n(args.weight + i, n);
            store_n(y + i, args.one_plus ? normed * (w + A(1)) : round_to<T>(normed) * w, n);
        });
    }
}

template <class T>
void norm_backward(const NormBackwardArgs<T>& args, std::int64_t begin, std::int64_t end, Accumulate<T>* dweight) {
    using A = Accumulate<T>;
    const std::int64_t d = args.d;
    const A offset = args.one_plus ? A(1) : A(0);
    std::memset(dweight, 0, std::size_t(d) * sizeof(A));
    for (std::int64_t r = begin; r < end; ++r) {
        const T* dy = row_at(args.dy, r);
        const T* x = row_at(args.x, r);
        T* dx = row_at(args.dx, r);
        const A rstd = args.rstd[r];
        Vec<T> s0{};
        for_row<T>(d, [&](std::int64_t i, std::int64_t n) {
            const Vec<T> g = load_n(dy + i, n);
            const Vec<T> normed = load_n(x + i, n) * rstd;
            store_n(dweight + i, load_n(dweight + i, n) + g * normed, n);
            s0 += g * (load_n(args.weight + i, n) + offset) * normed;
        });
        const A mean = sum<A>(s0) / A(d);
        for_row<T>(d, [&](std::int64_t i, std::int64_t n) {
            const Vec<T> g = load_n(dy + i, n) * (load_n(args.weight + i, n) + offset);
            const Vec<T> normed = load_n(x + i, n) * rstd;
            store_n(dx + i, load_n(dx + i, n) + (g - normed * mean) * rstd, n);
        });
    }
}

template <class T>
void rope(const RopeArgs<T>& args, std::int64_t begin, std::int64_t end) {
    const std::int64_t half = args.half;
    for (std::int64_t t = begin; t < end; ++t) {
        const Accumulate<T>* cosine = args.cosine + args.positions[t] * half;
        const Accumulate<T>* sine = args.sine + args.positions[t] * half;
        for (std::int64_t h = 0; h < args.x.heads; ++h) {
            T* low = args.x.data + t * args.x.token_stride + h * args.x.head_stride;
            T* high = low + half;
            for_row<T>(half, [&](std::int64_t i, std::int64_t n) {
                const Vec<T> c = load_n(cosine + i, n);
                const Vec<T> s = args.inverse ? -load_n(sine + i, n) : load_n(sine + i, n);
                const Vec<T> a = load_n(low + i, n);
                const Vec<T> b = load_n(high + i, n);
                store_n(low + i, a * c - b * s, n);
                store_n(high + i, b * c + a * s, n);
            });
        }
    }
}

//! act(x) and act'(x).
template <class V>
XLRM_INLINE V silu(V x, V* slope) {
    const V sigmoid = 1 / (1 + exp(-x));
    *slope = sigmoid * (1 + x * (1 - sigmoid));
    return x * sigmoid;
}
//! x / 2 · (1 + tanh u) as x · sigmoid(2u), which loses no digits where the tanh is near -1.
template <class A, class V>
XLRM_INLINE V gelu_tanh(V x, V* slope) {
    const A root = A(1.5957691216057307);  // 2 · sqrt(2 / pi)
    const A cubic = A(0.044715);
    const V sigmoid = 1 / (1 + exp(-root * (x + cubic * x * x * x)));
    *slope = sigmoid * (1 + x * (1 - sigmoid) * root * (1 + 3 * cubic * x * x));
    return x * sigmoid;
}
template <class T>
XLRM_INLINE Vec<T> activate(bool gelu, Vec<T> x, Vec<T>* slope) {
    return gelu ? gelu_tanh<Accumulate<T>>(x, slope) : silu(x, slope);
}

template <class T>
void gate(const GateArgs<T>& args, std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
        const T* gate_row = args.gate_up + r * 2 * args.width;
        const T* up = gate_row + args.width;
        T* y = args.out + r * args.width;
        for_row<T>(args.width, [&](std::int64_t i, std::int64_t n) {
            Vec<T> slope;
            store_n(y + i, activate<T>(args.gelu, load_n(gate_row + i, n), &slope) * load_n(up + i, n), n);
        });
    }
}

template <class T>
void gate_backward(const GateArgs<T>& args, std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
        const T* gate_row = args.gate_up + r * 2 * args.width;
        const T* up = gate_row + args.width;
        const T* dy = args.dy + r * args.width;
        T* dgate = args.out + r * 2 * args.width;
        T* dup = dgate + args.width;
        for_row<T>(args.width, [&](std::int64_t i, std::int64_t n) {
            Vec<T> slope;
            const Vec<T> act = activate<T>(args.gelu, load_n(gate_row + i, n), &slope);
            const Vec<T> g = load_n(dy + i, n);
            store_n(dgate + i, g * load_n(up + i, n) * slope, n);
            store_n(dup + i, g * act, n);
        });
    }
}

template <class T>
void softmax_loss(const SoftmaxLossArgs<T>& args, std::int64_t begin, std::int64_t end) {
    using A = Accumulate<T>;
    constexpr std::int64_t L = kLanes<A>;
    for (std::int64_t r = begin; r < end; ++r) {
        A* x = args.logits + r * args.classes;
        const std::int64_t target = args.targets[r];
        if (target < 0) {
            args.log_probs[r] = A(0);
            if (args.scale != nullptr) std::memset(x, 0, std::size_t(args.classes) * sizeof(A));
            continue;
        }
        A top = x[0];
        Vec<A> tops = fill<A>(top);
        std::int64_t i = 0;
        for (; i + L <= args.classes; i += L) tops = larger(tops, load(x + i));
        top = largest<A>(tops);
        for (; i < args.classes; ++i) top = x[i] > top ? x[i] : top;
        Vec<A> s{};
        for (i = 0; i + L <= args.classes; i += L) s += exp(load(x + i) - top);
        if (i < args.classes) {
            // Lanes behind the end are zero in the sum.
            Vec<A> tail = exp(load_part(x + i, args.classes - i) - top);
            for (std::int64_t k = args.classes - i; k < L; ++k) tail[k] = A(0);
            s += tail;
        }
        const A total = sum<A>(s);
        const A log_total = sizeof(A) == 4 ? A(__builtin_logf(float(total))) : A(__builtin_log(total));
        args.log_probs[r] = x[target] - top - log_total;
        if (args.scale == nullptr) continue;
        const A scale = args.scale[r];
        const A factor = scale / total;
        for_row<A>(args.classes,
                   [&](std::int64_t j, std::int64_t n) { store_n(x + j, exp(load_n(x + j, n) - top) * factor, n); });
        x[target] -= scale;
    }
}

template <class T>
void soft_cap(Accumulate<T>* x, Accumulate<T>* slope, Accumulate<T> cap, std::int64_t n) {
    using A = Accumulate<T>;
    for_row<A>(n, [&](std::int64_t i, std::int64_t m) {
        const Vec<A> t = tanh(load_n(x + i, m) / cap);
        store_n(x + i, t * cap, m);
        if (slope != nullptr) store_n(slope + i, 1 - t * t, m);
    });
}

template <class T>
Accumulate<T> dot(const T* x, const Accumulate<T>* w, std::int64_t n) {
    return dot_row(x, w, n);
}
template <class T>
void scale(const T* x, T* y, Accumulate<T> factor, std::int64_t n) {
    for_row<T>(n, [&](std::int64_t i, std::int64_t m) { store_n(y + i, load_n(x + i, m) * factor, m); });
}
template <class T>
void axpy(const T* x, Accumulate<T>* y, Accumulate<T> factor, std::int64_t n) {
    for_row<T>(n, [&](std::int64_t i, std::int64_t m) { store_n(y + i, load_n(y + i, m) + load_n(x + i, m) * factor, m); });
}
template <class T>
void add(const T* x, T* y, std::int64_t n) {
    for_row<T>(n, [&](std::int64_t i, std::int64_t m) { store_n(y + i, load_n(y + i, m) + load_n(x + i, m), m); });
}
template <class T>
void narrow(const Accumulate<T>* x, T* y, Accumulate<T> factor, std::int64_t n) {
    for_row<T>(n, [&](std::int64_t i, std::int64_t m) { store_n(y + i, load_n(x + i, m) * factor, m); });
}

}  // namespace xlrm::cpu::XLRM_ISA
