#include <ATen/ops/cat.h>

#include "xlrm/ops/memory.hpp"
#include "xlrm/train/metrics.hpp"
#include "xlrm/train/objective.hpp"

namespace xlrm {
namespace {

// Of the tensors side by side, beginning at `data`.
std::vector<std::span<const double>> spans_of(const std::vector<at::Tensor>& values, const double* data) {
    std::vector<std::span<const double>> spans;
    for (const at::Tensor& value : values) {
        spans.emplace_back(data, static_cast<std::size_t>(value.numel()));
        data += value.numel();
    }
    return spans;
}

}  // namespace

PendingSums::PendingSums(std::vector<at::Tensor> values, Finish finish) : values_(std::move(values)), finish_(std::move(finish)) {
    if (!on_host(values_.front().device())) return;
    std::vector<std::span<const double>> spans;
    for (const at::Tensor& value : values_)
        spans.emplace_back(value.const_data_ptr<double>(), static_cast<std::size_t>(value.numel()));
    sums_ = finish_(spans);
    values_.clear();
    finish_ = nullptr;
}

StepSums PendingSums::read(std::span<const PendingSums> all) {
    std::vector<at::Tensor> values;
    for (const PendingSums& one : all)
        for (const at::Tensor& value : one.values_) values.push_back(value.flatten());
    const at::Tensor host = values.empty() ? at::Tensor() : to_host(at::cat(values));
    const double* next = host.defined() ? host.const_data_ptr<double>() : nullptr;
    StepSums sums;
    for (const PendingSums& one : all) {
        add(sums, one.finish_ ? one.finish_(spans_of(one.values_, next)) : one.sums_);
        for (const at::Tensor& value : one.values_) next += value.numel();
    }
    return sums;
}

}  // namespace xlrm
