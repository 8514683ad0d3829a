#include "ops/cpu/fill.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "ops/cpu/dispatch.hpp"
#include "xlrm/ops/linear.hpp"
#include "xlrm/ops/soft_cap.hpp"

namespace xlrm::cpu {
namespace {

template <class A>
TokenStatistics statistics_of(const A* logits, std::int64_t classes, std::int32_t target) {
    const A* top = std::max_element(logits, logits + classes);
    double total = 0.0, product = 0.0, sum = 0.0;
    for (std::int64_t i = 0; i < classes; ++i) {
        const double share = double(std::exp(logits[i] - *top));
        total += share;
        product += share * double(logits[i]);
        sum += double(logits[i]);
    }
    return {double(*top) + std::log(total) - product / total, sum / double(classes), top - logits == target ? 1.0 : 0.0};
}

CrossEntropyResult chunked_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                         const at::Tensor& row_weight, double grad_scale, const at::Tensor& dhidden,
                                         const at::Tensor& dweight, std::int64_t chunk_rows, double cap, bool statistics) {
    const std::int64_t rows = hidden.size(0);
    const at::ScalarType sums = sum_type(hidden);
    const std::int32_t* target = const_data<std::int32_t>(targets);
    CrossEntropyResult result;
    result.sums = at::zeros({2}, hidden.options().dtype(at::kDouble));
    if (statistics) result.statistics = at::zeros({rows, 3}, result.sums.options());
    result.log_probs = at::zeros({rows}, hidden.options().dtype(sums));
    dispatch(sums, [&](auto type) {
        using A = cpu::Accumulate<decltype(type)>;
        auto weight_of = [&](std::int64_t i) { return row_weight.defined() ? double(const_data<float>(row_weight)[i]) : 1.0; };
        const at::Tensor scales = at::empty({rows}, result.log_probs.options());
        for (std::int64_t i = 0; i < rows; ++i) data<A>(scales)[i] = A(grad_scale * weight_of(i));
        for (std::int64_t first = 0; first < rows; first += chunk_rows) {
            const std::int64_t count = std::min(chunk_rows, rows - first);
            const at::Tensor h = hidden.narrow(0, first, count);
            const at::Tensor logits = linear(h, weight).to(sums);
            const at::Tensor slope = cap > 0 && dhidden.defined() ? at::empty_like(logits) : at::Tensor();
            if (cap > 0) soft_cap(logits, cap, slope);
            const cpu::SoftmaxLossArgs<A> args{data<A>(logits), weight.size(0), target + first,
                                               dhidden.defined() ? const_data<A>(scales) + first : nullptr,
                                               data<A>(result.log_probs) + first};
            if (statistics) {
                at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                        if (target[first + i] < 0) continue;
                        data<TokenStatistics>(result.statistics)[first + i] =
                            statistics_of(const_data<A>(logits) + i * weight.size(0), weight.size(0), target[first + i]);
                    }
                });
            }
            at::parallel_for(0, count, 1,
                             [&](std::int64_t begin, std::int64_t end) { cpu::kernels<A>().softmax_loss(args, begin, end); });
            if (!dhidden.defined()) continue;
            if (slope.defined()) logits.mul_(slope);
            const at::Tensor dlogits = logits.to(hidden.scalar_type());
            dhidden.narrow(0, first, count).copy_(linear_backward_input(dlogits, weight));
            linear_backward_weight(dlogits, h, dweight);
        }
        double loss = 0.0, weights = 0.0;
        for (std::int64_t i = 0; i < rows; ++i) {
            if (target[i] < 0) continue;
            loss -= weight_of(i) * double(const_data<A>(result.log_probs)[i]);
            weights += weight_of(i);
        }
        data<double>(result.sums)[0] = loss, data<double>(result.sums)[1] = weights;
    });
    return result;
}

}  // namespace

void fill_cross_entropy(DeviceOps& ops) { ops.chunked_cross_entropy = chunked_cross_entropy; }

}  // namespace xlrm::cpu
