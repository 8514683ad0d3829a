#pragma once

#include <filesystem>
#include <string>

#include "xlrm/model/parameters.hpp"

namespace xlrm {

//! A model folder in Hugging Face layout.
struct LoadedModel {
    ModelConfig config;
    Parameters parameters;
    HeadKind head = HeadKind::none;
    std::string sha256;  //!< over config.json and the weight files
    Json extra;          //!< xlrm.json of the folder, or null
};

//! Reads config.json and model.safetensors (or the shards of model.safetensors.index.json) into `dtype`. Every tensor is
//! accounted for: a missing, extra or misshapen one is an Error naming file and tensor. `want` = reward demands score.weight
//! unless `new_head` (then the head is zero until init_reward_head); a stored head that `want` does not ask for is left out.
LoadedModel load_model(const std::filesystem::path& folder, HeadKind want, at::ScalarType dtype, bool new_head = false);

//! Checks what load_model would, but for the weights' values, by the files' headers alone: configuration, names and shapes of all
//! tensors, whole files. Throws Error like load_model.
ModelConfig check_model(const std::filesystem::path& folder, HeadKind want, bool new_head = false);

//! Which head the folder's weights hold, without reading them.
HeadKind stored_head(const std::filesystem::path& folder);

//! SHA-256 over config.json and the weight files, as load_model gives it.
std::string model_sha256(const std::filesystem::path& folder);

//! Gives the model a pad token of its own, [PAD], behind the last id of the tokenizer in `tokenizer_from`, as the paper does (also
//! where the tokenizer has another pad token). Embeddings without a row for it grow by one, an untied LM head too: the mean of the
//! others, about which transformers draws it too. Embeddings with rows to spare keep their size (transformers would cut them).
//! No text holds the token, so no score changes. Throws Error where the tokenizer has more ids than the model rows.
void add_pad_token(LoadedModel& model, const std::filesystem::path& tokenizer_from);

//! Writes a folder that AutoModelForSequenceClassification (reward: num_labels = rows of score.weight, pad_token_id) or AutoModelForCausalLM opens
//! without missing or unexpected weights. Tokenizer and template files are copied from `tokenizer_from`. `extra` is written as
//! xlrm.json (pooling, template, data, options). Written beside and renamed: never a partial folder under its final name.
//! `weights`: flat buffer to store (fp32 masters, or parameters.flat), in `dtype`.
void save_model(const std::filesystem::path& folder, const ModelConfig& config, const ParameterLayout& layout,
                const at::Tensor& weights, HeadKind head, const std::filesystem::path& tokenizer_from, const Json& extra,
                at::ScalarType dtype);

}  // namespace xlrm
