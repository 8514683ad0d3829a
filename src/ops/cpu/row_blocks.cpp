#include "ops/cpu/row_blocks.hpp"

#include <ATen/ops/empty.h>

#include <cassert>
#include <vector>

namespace xlrm::cpu {

at::Tensor empty_rows(at::IntArrayRef shape, const at::TensorOptions& options) {
    std::vector<std::int64_t> whole = shape.vec();
    whole[0] = (whole[0] + kRowBlock - 1) / kRowBlock * kRowBlock;
    return at::empty(whole, options).narrow(0, 0, shape[0]);
}

at::Tensor with_room(const at::Tensor& x, std::int64_t rows) {
    assert(x.dim() == 2 && x.stride(1) == 1 && rows >= x.size(0));
    const std::int64_t end = x.storage_offset() + (rows - 1) * x.stride(0) + x.size(1);
    if (end * std::int64_t(x.element_size()) > std::int64_t(x.storage().nbytes())) return {};
    return x.as_strided({rows, x.size(1)}, x.strides());
}

}  // namespace xlrm::cpu
