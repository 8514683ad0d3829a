#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "xlrm/infer/pooling.hpp"
#include "xlrm/model/decoder.hpp"
#include "xlrm/store/items.hpp"

namespace xlrm {

//! Rows of `batch` at which the reward head reads its texts, which are those of `answers` (indices into set.answers) in order.
std::vector<std::int64_t> pooled_rows(const Decoder& decoder, const PackedBatch& batch, const ItemSet& set,
                                      std::span<const std::int64_t> answers, Pooling pooling);

//! Rows before the final norm in the precision in which norm and head are computed: bf16 as fp32, for rounded once more after the
//! norm a score would differ from that of its stored state by 1e-3.
at::Tensor head_precision(const at::Tensor& rows);

//! scores [N, labels] (fp32, fp64) of rows [N, d] after the final norm. `rounded`: to the dtype of rows (ops/head.hpp). REQUIRES:
//! a reward head.
at::Tensor reward_scores(const Decoder& decoder, const at::Tensor& normed, bool rounded = false);

}  // namespace xlrm
