#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace xlrm {

//! One layer's residual stream, row-major (token, feature).
struct StatesLayer {
    std::int64_t layer = 0;  //!< 0 = embedding output, l = after block l
    std::vector<float> values;
};

//! States of texts, one after another. Schema "XLRM-states-1":
//!     /                   Conventions="XLRM-states-1", schema_version, model_sha256
//!     /row_size           int32 (row): tokens of each text
//!     /hidden/layer_NN    float32 (token, feature)
//!     /logits             float32 (token, vocab)      with an LM head
//!     /score              float32 (row)               with a reward head
struct States {
    std::string model_sha256;
    std::vector<std::int32_t> row_size;
    std::int64_t features = 0;
    std::vector<StatesLayer> hidden;
    std::int64_t vocab = 0;
    std::vector<float> logits;  //!< empty without an LM head
    std::vector<float> score;   //!< empty without a reward head
};

//! Written atomically; equal content gives equal bytes.
void write_states(const std::filesystem::path& path, const States& states);

}  // namespace xlrm
