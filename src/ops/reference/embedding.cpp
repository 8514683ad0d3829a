#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

double rounded_scale(const at::Tensor& x, double scale) {
    return x.scalar_type() == at::kBFloat16 ? double(float(c10::BFloat16(float(scale)))) : scale;
}

at::Tensor embedding(const at::Tensor& tokens, const at::Tensor& weight, double scale) {
    const at::Tensor rows = at::index_select(weight, 0, tokens);
    return scale == 1.0 ? rows : (rows.to(sum_type(rows)) * rounded_scale(rows, scale)).to(rows.scalar_type());
}

// index_put_ adds in the order of the tokens on a GPU too, where index_add_ adds by atomics.
void embedding_backward(const at::Tensor& dy, const at::Tensor& tokens, const at::Tensor& dweight, double scale,
                        std::int32_t fixed) {
    at::Tensor slope = dy.to(dweight.scalar_type()) * rounded_scale(dy, scale);
    if (fixed >= 0) slope = slope * (tokens != fixed).to(slope.scalar_type()).unsqueeze(1);
    at::Tensor sums = dweight;
    sums.index_put_({tokens.to(at::kLong)}, slope, true);
}

}  // namespace

void fill_embedding(DeviceOps& ops) {
    ops.embedding = embedding;
    ops.embedding_backward = embedding_backward;
}

}  // namespace xlrm::reference
