// Every op as its header declares it: arguments are checked, its time is measured, and the table of the tensors' device computes.

#include <cassert>

#include "ops/device_ops.hpp"
#include "ops/sum_type.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/embedding.hpp"
#include "xlrm/ops/gated_linear.hpp"
#include "xlrm/ops/head.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/rows.hpp"
#include "xlrm/ops/soft_cap.hpp"

namespace xlrm {
namespace {

// Of the product of `rows` rows with a whole weight, forward or backward.
double product_flops(const at::Tensor& rows, const at::Tensor& weight) {
    return 2.0 * static_cast<double>(rows.size(0)) * static_cast<double>(weight.numel());
}

[[maybe_unused]] bool is_index(const at::Tensor& index) {
    return index.scalar_type() == at::kLong && index.dim() == 1 && index.is_contiguous();
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const PackedWeight* packed) {
    const ProfileScope scope("linear", ScopeKind::op, product_flops(x, weight));
    assert(x.size(1) == weight.size(1) && x.scalar_type() == weight.scalar_type());
    return packed != nullptr ? ops_for(x).packed_linear(x, *packed, bias) : ops_for(x).linear(x, weight, bias);
}

std::shared_ptr<const PackedWeight> pack_weight(const at::Tensor& weight) {
    assert(weight.dim() == 2);
    return ops_for(weight).pack_weight(weight);
}

at::Tensor linear_backward_input(const at::Tensor& dy, const at::Tensor& weight) {
    const ProfileScope scope("linear backward input", ScopeKind::op, product_flops(dy, weight));
    assert(dy.size(1) == weight.size(0) && dy.scalar_type() == weight.scalar_type());
    return ops_for(dy).linear_backward_input(dy, weight);
}

void linear_backward_weight(const at::Tensor& dy, const at::Tensor& x, at::Tensor dweight, at::Tensor dbias) {
    const ProfileScope scope("linear backward weight", ScopeKind::op, product_flops(x, dweight));
    assert(dy.size(0) == x.size(0) && dweight.size(0) == dy.size(1) && dweight.size(1) == x.size(1));
    ops_for(x).linear_backward_weight(dy, x, dweight, dbias);
}

at::Tensor gated_activation(const at::Tensor& gate_up, Activation activation) {
    const ProfileScope scope("gated activation");
    assert(gate_up.is_contiguous() && gate_up.size(1) % 2 == 0);
    return ops_for(gate_up).gated_activation(gate_up, activation);
}

at::Tensor gated_activation_backward(const at::Tensor& dy, const at::Tensor& gate_up, Activation activation) {
    const ProfileScope scope("gated activation backward");
    assert(gate_up.is_contiguous() && dy.is_contiguous() && gate_up.size(1) == 2 * dy.size(1));
    return ops_for(gate_up).gated_activation_backward(dy, gate_up, activation);
}

// The time of what these two are made of is measured within.
at::Tensor gated_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                        GatedSaved* saved, bool keep_activated) {
    return ops_for(x).gated_linear(x, weight, bias, activation, saved, keep_activated);
}

at::Tensor gated_linear_backward(const at::Tensor& dout, const at::Tensor& down, const GatedSaved& saved, Activation activation,
                                 at::Tensor* activated) {
    assert(saved.gate_up.is_contiguous() && saved.gate_up.size(1) == 2 * down.size(1));
    return ops_for(dout).gated_linear_backward(dout, down, saved, activation, activated);
}

RmsNormResult rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, NormWeight kind) {
    const ProfileScope scope("rms norm");
    assert(weight.is_contiguous() && weight.scalar_type() == x.scalar_type() && weight.size(0) == x.size(-1));
    return ops_for(x).rms_norm(x, weight, eps, kind);
}

RmsNormResult add_rms_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps, NormWeight kind,
                           bool keep) {
    const ProfileScope scope("rms norm");
    assert(weight.is_contiguous() && weight.scalar_type() == residual.scalar_type() && weight.size(0) == residual.size(-1));
    assert(residual.dim() == 2 && residual.sizes() == delta.sizes() && residual.is_contiguous() && delta.is_contiguous());
    return ops_for(residual).add_rms_norm(residual, delta, weight, eps, kind, keep);
}

void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                       NormWeight kind, at::Tensor dx, at::Tensor dweight) {
    const ProfileScope scope("rms norm backward");
    assert(dy.sizes() == x.sizes() && dx.sizes() == x.sizes() && dx.scalar_type() == x.scalar_type());
    assert(weight.is_contiguous() && rstd.is_contiguous() && dweight.is_contiguous() && dweight.scalar_type() == sum_type(x));
    ops_for(x).rms_norm_backward(dy, x, weight, rstd, kind, dx, dweight);
}

void rope(at::Tensor x, const at::Tensor& positions, const RopeTable& table, bool inverse) {
    const ProfileScope scope("rope");
    assert(x.dim() == 3 && positions.scalar_type() == at::kInt && positions.is_contiguous() &&
           table.cos.size(1) * 2 == x.size(2));
    ops_for(x).rope(x, positions, table, inverse);
}

at::Tensor embedding(const at::Tensor& tokens, const at::Tensor& weight, double scale) {
    const ProfileScope scope("embedding");
    assert(tokens.scalar_type() == at::kInt && tokens.is_contiguous() && weight.is_contiguous());
    return ops_for(weight).embedding(tokens, weight, scale);
}

void embedding_backward(const at::Tensor& dy, const at::Tensor& tokens, at::Tensor dweight, double scale, std::int32_t fixed) {
    const ProfileScope scope("embedding backward");
    assert(dy.is_contiguous() && dweight.is_contiguous() && tokens.is_contiguous() && tokens.size(0) == dy.size(0));
    assert(dweight.scalar_type() == sum_type(dy));
    ops_for(dy).embedding_backward(dy, tokens, dweight, scale, fixed);
}

at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index) {
    const ProfileScope scope("gather rows");
    assert(is_index(index) && x.stride(1) == 1);
    return ops_for(x).gather_rows(x, index);
}

void scatter_add_rows(const at::Tensor& dy, const at::Tensor& index, at::Tensor dx) {
    const ProfileScope scope("scatter rows");
    assert(is_index(index) && dy.stride(1) == 1 && dx.stride(1) == 1 && dx.scalar_type() == dy.scalar_type());
    ops_for(dy).scatter_add_rows(dy, index, dx);
}

at::Tensor segment_mean(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end) {
    const ProfileScope scope("segment mean");
    assert(is_index(begin) && is_index(end) && begin.sizes() == end.sizes() && x.stride(1) == 1);
    return ops_for(x).segment_mean(x, begin, end);
}

at::Tensor reward_head(const at::Tensor& rows, const at::Tensor& weight, bool rounded) {
    const ProfileScope scope("reward head");
    assert(rows.size(1) == weight.numel() && rows.stride(1) == 1);
    return ops_for(rows).reward_head(rows, weight, rounded);
}

at::Tensor reward_head_backward(const at::Tensor& dscores, const at::Tensor& rows, const at::Tensor& weight, at::Tensor dweight) {
    const ProfileScope scope("reward head backward");
    assert(dscores.scalar_type() == sum_type(rows) && dweight.scalar_type() == sum_type(rows));
    assert(rows.is_contiguous() && dscores.is_contiguous());
    return ops_for(rows).reward_head_backward(dscores, rows, weight, dweight);
}

void soft_cap(const at::Tensor& x, double cap, const at::Tensor& slope) {
    assert(x.dim() == 2 && x.is_contiguous() && cap > 0);
    assert(!slope.defined() || (slope.is_contiguous() && slope.sizes() == x.sizes() && slope.scalar_type() == x.scalar_type()));
    ops_for(x).soft_cap(x, cap, slope);
}

CrossEntropyResult chunked_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                         const at::Tensor& row_weight, double grad_scale, at::Tensor dhidden, at::Tensor dweight,
                                         std::int64_t chunk_rows, double cap, bool statistics) {
    const ProfileScope scope("cross entropy");
    assert(targets.scalar_type() == at::kInt && targets.is_contiguous() && targets.size(0) == hidden.size(0));
    assert(!dhidden.defined() || (dhidden.scalar_type() == hidden.scalar_type() && dweight.scalar_type() == sum_type(hidden)));
    return ops_for(hidden).chunked_cross_entropy(hidden, weight, targets, row_weight, grad_scale, dhidden, dweight, chunk_rows,
                                                 cap, statistics);
}

}  // namespace xlrm
