#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

void rope(const at::Tensor& x, const at::Tensor& positions, const RopeTable& table, bool inverse) {
    const std::int64_t half = table.cos.size(1);
    const at::Tensor cosine = at::index_select(table.cos, 0, positions).unsqueeze(1);
    const at::Tensor sine = at::index_select(table.sin, 0, positions).unsqueeze(1) * (inverse ? -1.0 : 1.0);
    const at::Tensor wide = x.to(sum_type(x));
    const at::Tensor low = wide.narrow(2, 0, half), high = wide.narrow(2, half, half);
    x.copy_(at::cat({low * cosine - high * sine, high * cosine + low * sine}, 2));
}

}  // namespace

void fill_rope(DeviceOps& ops) { ops.rope = rope; }

}  // namespace xlrm::reference
