#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "xlrm/model/decoder.hpp"

namespace xlrm {

//! Products [N, V] of normed rows [N, d] with the LM head, tied or not, in the dtype of the weights: logits, where the family
//! does not soft-cap them.
at::Tensor lm_products(const Decoder& decoder, const at::Tensor& normed);

//! logits [N, V] fp32 (fp64) of normed rows [N, d] through the LM head, tied or not, soft-capped where the family does so.
at::Tensor lm_logits(const Decoder& decoder, const at::Tensor& normed);

//! Residual row [1, d] behind the last block of the last of `tokens`, which continue `sequence` of the cache; a long text comes
//! in pieces, to the same bits.
at::Tensor continue_text(const Decoder& decoder, KvCache& cache, std::int64_t sequence, std::span<const std::int32_t> tokens);

//! Greedy continuation of `prompt`. REQUIRES: the model has an LM head. Ends after max_new tokens or behind `eos`.
std::vector<std::int32_t> generate_greedy(const Decoder& decoder, const std::vector<std::int32_t>& prompt, std::int64_t max_new,
                                          std::optional<std::int32_t> eos = {});

}  // namespace xlrm
