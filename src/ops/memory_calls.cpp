#include <cassert>

#include "ops/device_ops.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/ops/memory.hpp"

namespace xlrm {

at::Tensor flat_zeros(std::int64_t elements, at::ScalarType dtype, at::Device device) {
    return ops_for(device).flat_zeros(elements, at::TensorOptions(device).dtype(dtype));
}

at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options) {
    return ops_for(options.device()).empty_rows(shape, options);
}

bool on_host(at::Device device) { return ops_for(device).on_host; }

at::Tensor to_host(const at::Tensor& tensor) { return ops_for(tensor).to_host(tensor); }

void from_host(const at::Tensor& host, const at::Tensor& to) {
    assert(host.sizes() == to.sizes() && host.scalar_type() == to.scalar_type());
    ops_for(to).from_host(host, to);
}

void send(at::Device device, const std::vector<at::Tensor*>& tensors) { ops_for(device).send(device, tensors); }

void adamw(const AdamwConfig& config, at::Tensor weight, at::Tensor first, at::Tensor second, at::Tensor gradient,
           at::Tensor weight_copy) {
    const ProfileScope scope("adamw");
    for ([[maybe_unused]] const at::Tensor& x : {weight, first, second, gradient})
        assert(x.scalar_type() == at::kFloat && x.is_contiguous() && x.numel() == weight.numel());
    assert(!weight_copy.defined() ||
           (weight_copy.scalar_type() == at::kBFloat16 && weight_copy.is_contiguous() && weight_copy.numel() == weight.numel()));
    ops_for(weight).adamw(config, weight, first, second, gradient, weight_copy);
}

double sum_of_squares(const at::Tensor& values) {
    const ProfileScope scope("sum of squares");
    assert(values.scalar_type() == at::kFloat && values.is_contiguous());
    return ops_for(values).sum_of_squares(values);
}

}  // namespace xlrm
