#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "ops/reference/fill.hpp"
#include "ops/reference/kv_rows.hpp"

namespace xlrm::reference {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

//! What one segment's queries and keys give, heads first and grouped by the key head that they share.
struct Scores {
    at::Tensor q, k, v;  //!< [Hkv, G·N, D], [Hkv, K, D], [Hkv, K, D]; fp32 (fp64)
    at::Tensor capped;   //!< [Hkv, G·N, K] scaled, capped and masked
    at::Tensor slope;    //!< of the cap; undefined without one
    std::int64_t group;  //!< G = H / Hkv
};

// Rows of the list's ranges, one behind the other.
at::Tensor rows_of(const at::Tensor& x, const std::vector<KeyRange>& ranges) {
    std::vector<at::Tensor> parts;
    for (const KeyRange& range : ranges) parts.push_back(x.narrow(0, range.begin, range.length));
    return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

at::Tensor queries_of(const at::Tensor& x, const Segment& segment) {
    std::vector<at::Tensor> parts;
    for (const QueryRun& run : segment.queries) parts.push_back(x.narrow(0, run.begin, run.length));
    return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

// [N, H, D] → [Hkv, G·N, D].
at::Tensor grouped(const at::Tensor& x, std::int64_t kv_heads) {
    const std::int64_t group = x.size(1) / kv_heads;
    return x.reshape({x.size(0), kv_heads, group, x.size(2)})
        .permute({1, 2, 0, 3})
        .reshape({kv_heads, group * x.size(0), x.size(2)});
}

// The other way.
at::Tensor ungrouped(const at::Tensor& x, std::int64_t group) {
    const std::int64_t count = x.size(1) / group;
    return x.reshape({x.size(0), group, count, x.size(2)}).permute({2, 0, 1, 3}).reshape({count, x.size(0) * group, x.size(2)});
}

// [G·N, K]: whether a query sees a key.
at::Tensor visible(const Segment& segment, std::int64_t group, std::int64_t window, const at::TensorOptions& options) {
    std::vector<at::Tensor> parts;
    const at::TensorOptions index = options.dtype(at::kLong);
    for (const QueryRun& run : segment.queries) parts.push_back(at::arange(run.position, run.position + run.length, index));
    const at::Tensor position = at::cat(parts, 0).unsqueeze(1), key = at::arange(segment.key_count(), index).unsqueeze(0);
    const at::Tensor seen = window > 0 ? (key <= position).logical_and(key > position - window) : key <= position;
    return seen.repeat({group, 1});
}

Scores scores_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segment& segment,
                 const AttentionConfig& config) {
    const at::ScalarType sums = sum_type(q);
    const std::int64_t kv_heads = k.size(1);
    Scores out{grouped(queries_of(q, segment).to(sums), kv_heads),
               k.to(sums).transpose(0, 1),
               v.to(sums).transpose(0, 1),
               {},
               {},
               q.size(1) / kv_heads};
    out.capped = at::matmul(out.q, out.k.transpose(1, 2)) * config.scale;
    if (config.soft_cap > 0) {
        const at::Tensor bent = at::tanh(out.capped / config.soft_cap);
        out.slope = 1.0 - bent * bent;
        out.capped = bent * config.soft_cap;
    }
    out.capped = out.capped.masked_fill(visible(segment, out.group, config.window, q.options()).logical_not(), kMasked);
    return out;
}

void put_queries(const at::Tensor& to, const Segment& segment, const at::Tensor& rows) {
    std::int64_t first = 0;
    for (const QueryRun& run : segment.queries) {
        to.narrow(0, run.begin, run.length).copy_(rows.narrow(0, first, run.length));
        first += run.length;
    }
}

void add_keys(const at::Tensor& to, const Segment& segment, const at::Tensor& rows) {
    std::int64_t first = 0;
    for (const KeyRange& range : segment.keys) {
        to.narrow(0, range.begin, range.length).add_(rows.narrow(0, first, range.length));
        first += range.length;
    }
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Segments& segments,
                     const AttentionConfig& config, AttentionSaved* saved, const KvPages* cache) {
    at::Tensor out = at::empty(q.sizes(), q.options());
    if (saved != nullptr) saved->lse = at::empty({q.size(0), q.size(1)}, q.options().dtype(sum_type(q)));
    for (const Segment& segment : segments) {
        if (segment.query_count() == 0) continue;
        const KeyRows keys = segment.cached() ? cached_rows(*cache, segment.keys.front())
                                              : KeyRows{rows_of(k, segment.keys), rows_of(v, segment.keys)};
        const Scores scores = scores_of(q, keys.k, keys.v, segment, config);
        const at::Tensor lse = at::logsumexp(scores.capped, {2}, true);
        put_queries(out, segment, ungrouped(at::matmul(at::exp(scores.capped - lse), scores.v), scores.group));
        if (saved != nullptr) put_queries(saved->lse, segment, ungrouped(lse, scores.group).squeeze(2));
    }
    return out;
}

// dS = P ∘ (dO·Vᵀ - rowsum(dO ∘ O)), as FlashAttention has it (Dao et al. 2022, appendix B.4).
void attention_backward(const at::Tensor& dout, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& out, const AttentionSaved& saved, const Segments& segments,
                        const AttentionConfig& config, const AttentionGrads& grads) {
    const at::ScalarType sums = sum_type(q);
    const at::Tensor dk = at::zeros(k.sizes(), k.options().dtype(sums)), dv = at::zeros_like(dk);
    for (const Segment& segment : segments) {
        if (segment.query_count() == 0) continue;
        const Scores scores = scores_of(q, rows_of(k, segment.keys), rows_of(v, segment.keys), segment, config);
        const auto of_queries = [&](const at::Tensor& x) { return grouped(queries_of(x, segment).to(sums), k.size(1)); };
        const at::Tensor d = of_queries(dout), lse = of_queries(saved.lse.unsqueeze(2));
        const at::Tensor shares = at::exp(scores.capped - lse);
        const at::Tensor delta = at::sum(d * of_queries(out), at::IntArrayRef{2}, true);
        at::Tensor slope = shares * (at::matmul(d, scores.v.transpose(1, 2)) - delta) * config.scale;
        if (scores.slope.defined()) slope = slope * scores.slope;
        put_queries(grads.dq, segment, ungrouped(at::matmul(slope, scores.k), scores.group));
        add_keys(dk, segment, at::matmul(slope.transpose(1, 2), scores.q).transpose(0, 1));
        add_keys(dv, segment, at::matmul(shares.transpose(1, 2), d).transpose(0, 1));
    }
    grads.dk.copy_(dk);
    grads.dv.copy_(dv);
}

}  // namespace

void fill_attention(DeviceOps& ops) {
    ops.attention = attention;
    ops.attention_backward = attention_backward;
}

}  // namespace xlrm::reference
