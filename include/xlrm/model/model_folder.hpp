#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "xlrm/core/file_hashes.hpp"
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

//! Which rows of score.weight are read: the only one (a head with several labels is refused by name), all, or from 0 on the one
//! of a label.
inline constexpr std::int64_t kOnlyLabel = -1;
inline constexpr std::int64_t kAllLabels = -2;

//! Reads config.json and model.safetensors (or the shards of model.safetensors.index.json) into `dtype` on `device`. Every tensor
//! is accounted for: a missing, extra or misshapen one is an Error naming file and tensor. What config.json names must be there:
//! the head of the class in `architectures`, as many labels as num_labels and id2label say; a reward head that it does not name
//! is refused. `want` = reward demands score.weight unless `new_head` (then the head has one row, zero until init_reward_head); a
//! stored head that `want` does not ask for is left out. Takes the memory of the weights in `dtype`, and a few MB.
LoadedModel load_model(const std::filesystem::path& folder, HeadKind want, at::ScalarType dtype, bool new_head = false,
                       std::int64_t label = kOnlyLabel, at::Device device = at::kCPU);

//! What check_model finds.
struct CheckedModel {
    ModelConfig config;
    ParameterLayout layout;
    std::vector<std::string>
        unused;  //!< tensors of the files that are not read: heads not asked for, buffers that are computed anew
};

//! Checks what load_model would without loading the weights: configuration, names and shapes of all tensors, whole files, by the
//! files' headers; a tied LM head that is stored too is compared with the embedding. Throws Error like load_model.
CheckedModel check_model(const std::filesystem::path& folder, HeadKind want, bool new_head = false,
                         std::int64_t label = kOnlyLabel);

//! Which head the folder's weights hold, without reading them. Throws Error where config.json names another.
HeadKind stored_head(const std::filesystem::path& folder);

//! Labels of its reward head (rows of score.weight); 0 where it has none.
std::int64_t stored_labels(const std::filesystem::path& folder);

//! SHA-256 over config.json and the weight files, as load_model gives it. `hashes` remembers what was read already.
std::string model_sha256(const std::filesystem::path& folder, FileHashes* hashes = nullptr);

//! Gives the model a pad token of its own, [PAD], behind the last id of the tokenizer in `tokenizer_from`, as the paper does
//! (also where the tokenizer has another pad token). Embeddings without a row for it grow by one, an untied LM head too: the mean
//! of the others, about which transformers draws it too. Embeddings with rows to spare keep their size (transformers would cut
//! them). No text holds the token, so no score changes. Throws Error where the tokenizer has more ids than the model rows.
void add_pad_token(LoadedModel& model, const std::filesystem::path& tokenizer_from);

//! Writes a folder that AutoModelForSequenceClassification (reward: num_labels = rows of score.weight, pad_token_id) or
//! AutoModelForCausalLM opens without missing or unexpected weights. Tokenizer and template files are copied from
//! `tokenizer_from`. `extra` is written as xlrm.json (pooling, template, data, options). `finish` writes what else belongs
//! into the folder that it is given. All is written beside and renamed: never a partial folder under its final name. `weights`:
//! flat buffer to store (fp32 masters, or parameters.flat), in `dtype`.
void save_model(const std::filesystem::path& folder, const ModelConfig& config, const ParameterLayout& layout,
                const at::Tensor& weights, HeadKind head, const std::filesystem::path& tokenizer_from, const Json& extra,
                at::ScalarType dtype, const std::function<void(const std::filesystem::path& folder)>& finish = {});

}  // namespace xlrm
