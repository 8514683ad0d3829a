#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <vector>

namespace xlrm {

//! [T, heads·D] columns [from, from + heads·D) of a merged product, seen as [T, heads, D].
inline at::Tensor head_view(const at::Tensor& merged, std::int64_t from, std::int64_t heads, std::int64_t head_dim) {
    return merged.narrow(1, from, heads * head_dim).unflatten(1, {heads, head_dim});
}

//! Rows of a weight, or of a bias where there is one.
inline at::Tensor part(const at::Tensor& tensor, std::int64_t begin, std::int64_t rows) {
    return tensor.defined() ? tensor.narrow(0, begin, rows) : tensor;
}

//! [N, …] rows at `index` of an otherwise zero tensor of `total` rows.
inline at::Tensor spread_rows(const at::Tensor& rows, const at::Tensor& index, std::int64_t total) {
    std::vector<std::int64_t> shape(rows.sizes().begin(), rows.sizes().end());
    shape[0] = total;
    at::Tensor out = at::zeros(shape, rows.options());
    out.index_copy_(0, index, rows);
    return out;
}

}  // namespace xlrm
