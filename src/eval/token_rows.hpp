#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "xlrm/model/decoder.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Values of a tensor of any floating dtype as fp32.
std::vector<float> to_floats(const at::Tensor& tensor);

//! Residual stream of every token of the chosen and rejected answers of the first `items` items: side → layers.
std::map<std::string, std::vector<TokenRows>> capture_tokens(const Decoder& decoder, const ItemSet& set,
                                                             const std::vector<std::int64_t>& layers, std::int64_t items,
                                                             DType dtype, const std::vector<std::int64_t>& chosen,
                                                             const std::vector<std::int64_t>& rejected);

}  // namespace xlrm
