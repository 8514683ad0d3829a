#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/tokenizer.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! A model while it is trained: fp32 masters and the copy that computes, of one layout. Stays where it is: a Decoder refers to
//! it.
struct TrainingModel {
    ModelConfig config;
    HeadKind head = HeadKind::none;  //!< of the model to be saved
    Parameters compute;              //!< flat is `weights` itself, or a copy
    at::Tensor weights;              //!< fp32 [total], on the device that computes
    std::string sha256;              //!< of the folder it began from, or of the configuration and seed it was made from
    Json started_from;               //!< for provenance

    //! Whether what computes is a rounded copy of the masters.
    bool rounds() const { return compute.flat.scalar_type() != weights.scalar_type(); }
};

//! The folder whose tokenizer and template belong to the run.
std::filesystem::path tokenizer_folder(const TrainOptions& options);

//! config.json of a model to be made; vocabulary size and special ids that it leaves open are the tokenizer's.
ModelConfig new_model_config(const TrainOptions& options, const Tokenizer& tokenizer);

//! The configuration that the run starts from: of --model, or of the model to be made. Reads no weights.
ModelConfig first_config(const TrainOptions& options, const Tokenizer& tokenizer);

//! Throws Error when the tokenizer has more tokens than the model.
void require_fit(const TrainOptions& options, const ModelConfig& config, const Tokenizer& tokenizer);

//! Loads or makes the model, with the head that the objective needs (and, for an auxiliary LM loss, an LM head beside it). A
//! stored reward head of `outputs` labels is trained further; otherwise one is made by options.head_init. Throws Error.
std::unique_ptr<TrainingModel> make_training_model(const TrainOptions& options, const Tokenizer& tokenizer, HeadKind head,
                                                   std::int64_t outputs = 1);

//! Checks of the weights that make_training_model would load what their files' headers say: names and shapes. Throws Error like
//! it.
void check_start(const TrainOptions& options, HeadKind head, std::int64_t outputs);

//! The layout of the model to be saved: its one head alone.
ParameterLayout saved_layout(const TrainingModel& model);

//! Writes the model folder: one head, in the compute dtype; `finish` as in save_model.
void save_trained(const TrainingModel& model, const std::filesystem::path& folder, const std::filesystem::path& tokenizer_from,
                  const Json& extra, const std::function<void(const std::filesystem::path& folder)>& finish);

}  // namespace xlrm
