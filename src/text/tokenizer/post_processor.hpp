#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace xlrm {

//! What the `post_processor` of a tokenizer.json puts before and behind the ids of one text.
struct PostProcessor {
    std::vector<std::int32_t> prefix, suffix;
};

//! TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel (offsets only), and a Sequence of them; `json` may be null.
//! Throws Error naming `where` and the feature that is not supported.
PostProcessor read_post_processor(const nlohmann::json& json, const std::string& where);

}  // namespace xlrm
