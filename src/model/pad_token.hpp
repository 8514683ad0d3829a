#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "xlrm/model/config.hpp"

namespace xlrm {

//! The pad_token_id of a saved reward model. transformers reads the score at the right-most token that is not the pad id, xlrm at
//! the last one: the two agree as long as no text ends with the pad id.
struct PadChoice {
    std::optional<std::int32_t> id;
    std::string note;  //!< whether they agree, and if not why, for xlrm.json
};

//! In this order: the pad token of the tokenizer in `tokenizer_from` (batches padded by it must be recognised); the model's own;
//! BOS, which never ends a text, unless it is also EOS; none (transformers then scores one text at a time, and agrees).
PadChoice choose_pad(const ModelConfig& config, const std::filesystem::path& tokenizer_from);

//! Writes [PAD] = id, as the pad token, into the tokenizer files of `folder`.
void write_pad_token(const std::filesystem::path& folder, std::int32_t id);

}  // namespace xlrm
