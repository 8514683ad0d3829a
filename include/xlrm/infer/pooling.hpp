#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace xlrm {

//! Which token of a text the reward head reads. `last`: the true last token. `hf`: the right-most token whose id is not the pad
//! id (transformers). `first_pad`: the token before the first pad id (older transformers, open-instruct).
enum class Pooling { last, hf, first_pad };
Pooling parse_pooling(const std::string& name);
std::string pooling_name(Pooling pooling);

//! Index within the text. `pad` absent: the last token under every rule. An all-pad text gives 0 under `hf`.
std::int64_t pooled_index(Pooling pooling, std::span<const std::int32_t> text, std::optional<std::int32_t> pad);

}  // namespace xlrm
