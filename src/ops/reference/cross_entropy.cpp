#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/scatter_add.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

// [rows, 3] TokenStatistics of the chunk's counted rows.
at::Tensor statistics_of(const at::Tensor& logits, const at::Tensor& lse, const at::Tensor& target, const at::Tensor& counted) {
    const at::Tensor wide = logits.to(at::kDouble), total = lse.to(at::kDouble);
    const at::Tensor entropy = total - at::sum(at::exp(wide - total.unsqueeze(1)) * wide, at::IntArrayRef{1});
    const at::Tensor top = (at::argmax(logits, 1) == target).to(at::kDouble);
    return at::stack({entropy, at::mean(wide, {1}), top}, 1) * counted.to(at::kDouble).unsqueeze(1);
}

void soft_cap(const at::Tensor& x, double cap, const at::Tensor& slope) {
    const at::Tensor bent = at::tanh(x / cap);
    if (slope.defined()) slope.copy_(1.0 - bent * bent);
    x.copy_(bent * cap);
}

CrossEntropyResult chunked_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                         const at::Tensor& row_weight, double grad_scale, const at::Tensor& dhidden,
                                         const at::Tensor& dweight, std::int64_t chunk_rows, double cap, bool statistics) {
    const std::int64_t rows = hidden.size(0);
    CrossEntropyResult result;
    if (statistics) result.statistics = at::zeros({rows, 3}, hidden.options().dtype(at::kDouble));
    result.log_probs = at::zeros({rows}, hidden.options().dtype(sum_type(hidden)));
    const at::Tensor counted = targets >= 0, target = targets.clamp_min(0).to(at::kLong);
    const at::Tensor weights =
        (row_weight.defined() ? row_weight.to(at::kDouble) : at::ones_like(targets, at::kDouble)) * counted.to(at::kDouble);
    for (std::int64_t first = 0; first < rows; first += chunk_rows) {
        const std::int64_t count = std::min(chunk_rows, rows - first);
        const auto part = [&](const at::Tensor& whole) { return whole.narrow(0, first, count); };
        const at::Tensor h = part(hidden), at_target = part(target).unsqueeze(1);
        at::Tensor logits = reference_ops().linear(h, weight, {}).to(result.log_probs.scalar_type());
        const at::Tensor slope = cap > 0 ? at::empty_like(logits) : at::Tensor();
        if (cap > 0) soft_cap(logits, cap, slope);
        const at::Tensor lse = at::logsumexp(logits, {1});
        part(result.log_probs).copy_((at::gather(logits, 1, at_target).squeeze(1) - lse) * part(counted));
        if (statistics) part(result.statistics).copy_(statistics_of(logits, lse, part(target), part(counted)));
        if (!dhidden.defined()) continue;
        const at::Tensor scale = (part(weights) * grad_scale).to(logits.scalar_type()).unsqueeze(1);
        at::Tensor change = at::scatter_add(at::exp(logits - lse.unsqueeze(1)) * scale, 1, at_target, -scale);
        if (slope.defined()) change = change * slope;
        const at::Tensor dlogits = change.to(hidden.scalar_type());
        part(dhidden).copy_(reference_ops().linear_backward_input(dlogits, weight));
        reference_ops().linear_backward_weight(dlogits, h, dweight, {});
    }
    result.sums = at::stack({-at::sum(weights * result.log_probs.to(at::kDouble)), at::sum(weights)});
    return result;
}

}  // namespace

void fill_cross_entropy(DeviceOps& ops) {
    ops.soft_cap = soft_cap;
    ops.chunked_cross_entropy = chunked_cross_entropy;
}

}  // namespace xlrm::reference
