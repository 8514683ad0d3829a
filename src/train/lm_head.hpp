#pragma once

#include <cstdint>

#include "xlrm/model/decoder.hpp"

namespace xlrm {

//! A target that cross entropy leaves out.
inline constexpr std::int32_t kNotCounted = -100;

//! [V, d] of the LM head within a flat buffer: a matrix of its own, or the embedding where they are tied.
inline at::Tensor lm_weight_of(const Decoder& decoder, const at::Tensor& buffer) {
    const Parameters& parameters = decoder.parameters();
    return parameters.view_of(buffer, parameters.layout.contains("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight");
}

inline at::Tensor lm_weight(const Decoder& decoder) { return lm_weight_of(decoder, decoder.parameters().flat); }

}  // namespace xlrm
