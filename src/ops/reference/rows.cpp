#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/zeros.h>

#include "ops/reference/fill.hpp"

namespace xlrm::reference {
namespace {

at::Tensor gather_rows(const at::Tensor& x, const at::Tensor& index) { return at::index_select(x, 0, index); }

void scatter_add_rows(const at::Tensor& dy, const at::Tensor& index, const at::Tensor& dx) {
    at::Tensor sums = dx;
    sums.index_put_({index}, dy, true);
}

at::Tensor segment_mean(const at::Tensor& x, const at::Tensor& begin, const at::Tensor& end) {
    const at::Tensor length = end - begin, before = at::cumsum(length, 0) - length;
    const at::Tensor segment = at::repeat_interleave(length);
    const at::Tensor row = at::index_select(begin - before, 0, segment) + at::arange(segment.size(0), begin.options());
    at::Tensor mean = at::zeros({begin.size(0), x.size(1)}, x.options().dtype(sum_type(x)));
    mean.index_put_({segment}, at::index_select(x, 0, row).to(mean.scalar_type()), true);
    return mean.div_(length.clamp_min(1).to(mean.scalar_type()).unsqueeze(1));
}

}  // namespace

void fill_rows(DeviceOps& ops) {
    ops.gather_rows = gather_rows;
    ops.scatter_add_rows = scatter_add_rows;
    ops.segment_mean = segment_mean;
}

}  // namespace xlrm::reference
