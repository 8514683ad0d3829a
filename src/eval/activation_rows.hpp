#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Collective. Concatenation over ranks, on every rank.
std::vector<float> gather_floats(const Communicator& group, const std::vector<float>& mine);

//! Values of a tensor of any floating dtype as fp32.
std::vector<float> to_floats(const at::Tensor& tensor);

//! Throws Error naming the layer where a value of `rows` would overflow in `dtype` (fp16).
void require_storable(const at::Tensor& rows, int layer, DType dtype);

//! Collective. From each rank's rows (answers of its items, in order; [n, d] fp32) the rows of the answers `chosen` and
//! `rejected` of all items, rounded to `dtype`. Whole on the root, empty elsewhere.
LayerRows gather_layer(const Communicator& group, const at::Tensor& rows, int layer, DType dtype,
                       const std::vector<std::int64_t>& chosen, const std::vector<std::int64_t>& rejected);

//! Residual stream of every token of the chosen and rejected answers of the first `items` items: side → layers.
std::map<std::string, std::vector<TokenRows>> capture_tokens(const Decoder& decoder, const ItemSet& set,
                                                             const std::vector<std::int64_t>& layers, std::int64_t items,
                                                             DType dtype, const std::vector<std::int64_t>& chosen,
                                                             const std::vector<std::int64_t>& rejected);

}  // namespace xlrm
