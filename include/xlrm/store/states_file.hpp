#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

namespace xlrm {

//! What a model computes for rows of tokens, the rows one after another.
struct States {
    std::vector<std::int32_t> row_size;  //!< tokens of each row
    std::int64_t features = 0;
    std::map<int, std::vector<float>> hidden;  //!< layer → (token, feature), the residual stream before the final norm
    std::int64_t vocab = 0;
    std::vector<float> logits;  //!< (token, vocab); empty for a reward model
    std::int64_t labels = 1;    //!< of the reward head
    std::vector<float> score;   //!< (row, label); empty for a language model
};

//! states.h5, schema "XLRM-states-1": /row_size (row), /hidden/layer_NN (token, feature), and /logits (token, vocab) or /score
//! (row), of a head with several labels (row, label). Atomic; equal states give equal bytes. Throws Error where lengths disagree.
void write_states(const std::filesystem::path& path, const States& states);

//! Throws Error naming file and dataset.
States read_states(const std::filesystem::path& path);

}  // namespace xlrm
