#include <ATen/ops/empty.h>

#include <cassert>

#include "ops/device_ops.hpp"
#include "xlrm/core/profile.hpp"

namespace xlrm {
namespace {

// Of the products of one forward pass: q·k and p·v over the keys that each token sees.
double forward_flops(const at::Tensor& q, const Segments& segments) {
    double pairs = 0.0;
    for (const Segment& s : segments)
        for (const QueryRun& run : s.queries)
            pairs += double(run.length) * double(run.position) + 0.5 * double(run.length) * double(run.length + 1);
    return 4.0 * double(q.size(1) * q.size(2)) * pairs;
}

[[maybe_unused]] bool are_heads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && q.size(1) % k.size(1) == 0 && q.size(2) == k.size(2) &&
           q.stride(2) == 1 && k.stride(2) == 1 && v.stride(2) == 1;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved, const KvPages* cache) {
    const ProfileScope scope("attention", ScopeKind::op, profiling() ? forward_flops(q, segments) : 0.0);
    assert(are_heads(q, k, v));
    return ops_for(q).attention(q, k, v, segments, config, saved, cache);
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
    assert(are_heads(q, k, v) && dout.is_contiguous() && out.is_contiguous() && dout.sizes() == q.sizes());
    assert(are_heads(grads.dq, grads.dk, grads.dv));
    ops_for(q).attention_backward(dout, q, k, v, out, saved, segments, config, grads);
}

}  // namespace xlrm
