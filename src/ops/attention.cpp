#include "xlrm/ops/attention.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "ops/aligned_buffer.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/dispatch.hpp"
#include "ops/shares.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/rows.hpp"

namespace xlrm {
namespace {

cpu::AttentionSegment kernel_segment(const Segments& segments, const Segment& s) {
    if (s.prefix < 0) return {s.begin, s.length, 0, 0};
    const Segment& prefix = segments[std::size_t(s.prefix)];
    assert(prefix.prefix < 0);
    return {s.begin, s.length, prefix.begin, prefix.length};
}

//! Segments without a prefix, each followed by those that have it as theirs.
std::vector<std::vector<cpu::AttentionSegment>> families(const Segments& segments) {
    std::vector<std::vector<cpu::AttentionSegment>> result;
    std::vector<std::size_t> family_of(segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i].prefix < 0) {
            family_of[i] = result.size();
            result.emplace_back();
        } else {
            assert(std::size_t(segments[i].prefix) < i);
            family_of[i] = family_of[std::size_t(segments[i].prefix)];
        }
        result[family_of[i]].push_back(kernel_segment(segments, segments[i]));
    }
    return result;
}

// Of the products of one forward pass: q·k and p·v over the keys that each token sees.
double forward_flops(const at::Tensor& q, const Segments& segments) {
    double pairs = 0.0;
    for (const Segment& s : segments) {
        const cpu::AttentionSegment k = kernel_segment(segments, s);
        pairs += double(k.length) * double(k.prefix_length) + 0.5 * double(k.length) * double(k.length + 1);
    }
    return 4.0 * double(q.size(1) * q.size(2)) * pairs;
}

std::int64_t most_keys(const Segments& segments) {
    std::int64_t most = 0;
    for (const Segment& s : segments) {
        const cpu::AttentionSegment k = kernel_segment(segments, s);
        most = std::max(most, k.prefix_length + k.length);
    }
    return most;
}

bool fits_tiles(const cpu::AttentionArgs<cpu::Bf16>& args) { return args.head_dim <= cpu::kAmxHeadDim && cpu::amx_available(); }

template <class T>
cpu::AttentionArgs<T> arguments(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out,
                                const at::Tensor& lse, const AttentionConfig& config) {
    assert(q.dim() == 3 && k.dim() == 3 && v.dim() == 3 && q.size(1) % k.size(1) == 0 && k.sizes() == v.sizes());
    assert(q.stride(2) == 1 && k.stride(2) == 1 && v.stride(2) == 1 && out.is_contiguous());
    using A = cpu::Accumulate<T>;
    cpu::AttentionArgs<T> args{};
    args.q = const_data<T>(q), args.k = const_data<T>(k), args.v = const_data<T>(v);
    args.q_token = q.stride(0), args.q_head = q.stride(1);
    args.k_token = k.stride(0), args.k_head = k.stride(1);
    args.v_token = v.stride(0), args.v_head = v.stride(1);
    args.out = data<T>(out);
    args.lse = lse.defined() ? data<A>(lse) : nullptr;
    args.heads = q.size(1), args.kv_heads = k.size(1), args.head_dim = q.size(2);
    args.scale = config.scale, args.soft_cap = config.soft_cap, args.window = config.window;
    return args;
}

template <class T>
void attend(const cpu::AttentionArgs<T>& args, const cpu::AttentionSegment& segment, std::int64_t kv_head, std::int64_t keys) {
    if constexpr (std::is_same_v<T, cpu::Bf16>) {
        if (fits_tiles(args))
            return cpu::amx_attention(args, segment, kv_head, thread_scratch<char>(cpu::amx_attention_scratch(args, keys)));
    }
    cpu::kernels<T>().attention(args, segment, kv_head,
                                thread_scratch<cpu::Accumulate<T>>(cpu::kernels<T>().attention_scratch(args, keys)));
}

template <class T>
void attend_backward(const cpu::AttentionBackwardArgs<T>& args, const std::vector<cpu::AttentionSegment>& family,
                     std::int64_t kv_head, std::int64_t keys) {
    const std::int64_t count = std::int64_t(family.size());
    if constexpr (std::is_same_v<T, cpu::Bf16>) {
        if (fits_tiles(args.forward)) {
            const std::int64_t bytes = cpu::amx_attention_backward_scratch(args, keys);
            return cpu::amx_attention_backward(args, family.data(), count, kv_head, thread_scratch<char>(bytes));
        }
    }
    const std::int64_t scratch = cpu::kernels<T>().attention_backward_scratch(args, keys);
    cpu::kernels<T>().attention_backward(args, family.data(), count, kv_head, thread_scratch<cpu::Accumulate<T>>(scratch));
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved) {
    const ProfileScope scope("attention", ScopeKind::op, profiling() ? forward_flops(q, segments) : 0.0);
    at::Tensor out = empty_rows(q.sizes(), q.options());
    if (saved != nullptr) saved->lse = at::empty({q.size(0), q.size(1)}, q.options().dtype(accumulate_type(q.scalar_type())));
    dispatch(q.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const cpu::AttentionArgs<T> args = arguments<T>(q, k, v, out, saved != nullptr ? saved->lse : at::Tensor(), config);
        const std::int64_t keys = most_keys(segments);
        for_tasks(std::int64_t(segments.size()) * args.kv_heads, [&](std::int64_t task) {
            attend(args, kernel_segment(segments, segments[std::size_t(task / args.kv_heads)]), task % args.kv_heads, keys);
        });
    });
    return out;
}

AttentionGrads attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                  const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                                  const AttentionConfig& config) {
    AttentionGrads grads{at::empty(q.sizes(), q.options()), at::empty(k.sizes(), k.options()), at::empty(v.sizes(), v.options())};
    attention_backward(dout, q, k, v, out, saved, segments, config, grads);
    return grads;
}

void attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                        const AttentionConfig& config, const AttentionGrads& grads) {
    const ProfileScope scope("attention backward", ScopeKind::op, profiling() ? 2.5 * forward_flops(q, segments) : 0.0);
    assert(grads.dq.stride(2) == 1 && grads.dk.stride(2) == 1 && grads.dv.stride(2) == 1);
    const auto groups = families(segments);
    dispatch(q.scalar_type(), [&](auto type) {
        using T = decltype(type);
        assert(dout.is_contiguous() && dout.sizes() == q.sizes());
        cpu::AttentionBackwardArgs<T> args{};
        args.forward = arguments<T>(q, k, v, out, saved.lse, config);
        args.dout = const_data<T>(dout);
        args.dq = data<T>(grads.dq), args.dk = data<T>(grads.dk), args.dv = data<T>(grads.dv);
        args.dq_token = grads.dq.stride(0), args.dq_head = grads.dq.stride(1);
        args.dk_token = grads.dk.stride(0), args.dk_head = grads.dk.stride(1);
        args.dv_token = grads.dv.stride(0), args.dv_head = grads.dv.stride(1);
        const std::int64_t kv_heads = args.forward.kv_heads;
        const std::int64_t keys = most_keys(segments);
        for_tasks(std::int64_t(groups.size()) * kv_heads,
                  [&](std::int64_t task) { attend_backward(args, groups[std::size_t(task / kv_heads)], task % kv_heads, keys); });
    });
}

}  // namespace xlrm
