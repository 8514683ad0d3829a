#include <ATen/ops/empty.h>

#include <vector>

#include "ops/cpu/aligned_buffer.hpp"
#include "ops/cpu/amx.hpp"
#include "ops/cpu/attention_tasks.hpp"
#include "ops/cpu/dispatch.hpp"
#include "ops/cpu/fill.hpp"
#include "ops/cpu/packed_keys.hpp"
#include "ops/cpu/row_blocks.hpp"
#include "ops/cpu/shares.hpp"

namespace xlrm::cpu {
namespace {

template <class T>
cpu::AttentionArgs<T> arguments(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out,
                                const at::Tensor& lse, const AttentionConfig& config) {
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
void attend(const cpu::AttentionArgs<T>& args, const AttentionTasks& tasks, const cpu::AttentionSegment& segment,
            std::int64_t kv_head, bool on_tiles) {
    if constexpr (std::is_same_v<T, cpu::Bf16>) {
        if (on_tiles) {
            const std::int64_t bytes = cpu::amx_attention_scratch(args, tasks.most_keys(), tasks.most_packed());
            return cpu::amx_attention(args, segment, kv_head, thread_scratch<char>(bytes));
        }
    }
    const std::int64_t scratch = cpu::kernels<T>().attention_scratch(args, tasks.most_keys(), tasks.most_packed());
    cpu::kernels<T>().attention(args, segment, kv_head, thread_scratch<cpu::Accumulate<T>>(scratch));
}

template <class T>
void attend_backward(const cpu::AttentionBackwardArgs<T>& args, const std::vector<cpu::AttentionSegment>& family,
                     std::int64_t kv_head, std::int64_t keys, bool on_tiles) {
    const std::int64_t count = std::int64_t(family.size());
    if constexpr (std::is_same_v<T, cpu::Bf16>) {
        if (on_tiles) {
            const std::int64_t bytes = cpu::amx_attention_backward_scratch(args, keys);
            return cpu::amx_attention_backward(args, family.data(), count, kv_head, thread_scratch<char>(bytes));
        }
    }
    const std::int64_t scratch = cpu::kernels<T>().attention_backward_scratch(args, keys);
    cpu::kernels<T>().attention_backward(args, family.data(), count, kv_head, thread_scratch<cpu::Accumulate<T>>(scratch));
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved, const KvPages* cache) {
    at::Tensor out = empty_rows(q.sizes(), q.options());
    if (saved != nullptr) saved->lse = at::empty({q.size(0), q.size(1)}, q.options().dtype(sum_type(q)));
    const AttentionTasks tasks(segments, cache);
    const bool on_tiles = attends_on_tiles(q.scalar_type(), q.size(2));
    dispatch(q.scalar_type(), [&](auto type) {
        using T = decltype(type);
        const cpu::AttentionArgs<T> args = arguments<T>(q, k, v, out, saved != nullptr ? saved->lse : at::Tensor(), config);
        for_tasks(std::int64_t(tasks.with_queries().size()) * args.kv_heads, [&](std::int64_t task) {
            attend(args, tasks, tasks.with_queries()[std::size_t(task / args.kv_heads)], task % args.kv_heads, on_tiles);
        });
    });
    return out;
}

void attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                        const AttentionConfig& config, const AttentionGrads& grads) {
    const AttentionTasks tasks(segments, nullptr);
    const auto groups = tasks.families();
    const bool on_tiles = attends_on_tiles(q.scalar_type(), q.size(2));
    dispatch(q.scalar_type(), [&](auto type) {
        using T = decltype(type);
        cpu::AttentionBackwardArgs<T> args{};
        args.forward = arguments<T>(q, k, v, out, saved.lse, config);
        args.dout = const_data<T>(dout);
        args.dq = data<T>(grads.dq), args.dk = data<T>(grads.dk), args.dv = data<T>(grads.dv);
        args.dq_token = grads.dq.stride(0), args.dq_head = grads.dq.stride(1);
        args.dk_token = grads.dk.stride(0), args.dk_head = grads.dk.stride(1);
        args.dv_token = grads.dv.stride(0), args.dv_head = grads.dv.stride(1);
        const std::int64_t kv_heads = args.forward.kv_heads;
        for_tasks(std::int64_t(groups.size()) * kv_heads, [&](std::int64_t task) {
            attend_backward(args, groups[std::size_t(task / kv_heads)], task % kv_heads, tasks.most_keys(), on_tiles);
        });
    });
}

}  // namespace

void fill_attention(DeviceOps& ops) {
    ops.attention = attention;
    ops.attention_backward = attention_backward;
}

}  // namespace xlrm::cpu
