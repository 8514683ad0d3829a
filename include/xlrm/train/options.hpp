#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "xlrm/core/options.hpp"
#include "xlrm/data/row_form_options.hpp"

namespace xlrm {

//! What one training run needs; defaults are those of --help. The sweep fills one for each model from its own configuration.
struct TrainOptions {
    std::string objective = "bt";     //!< bt | ranking | regression | lm | sft | dpo
    std::string model;                //!< folder to start from (weights, tokenizer), or
    std::string model_config;         //!< config.json of a model to be made from nothing, with
    std::string tokenizer;            //!< the folder of its tokenizer (default: that of `model`)
    std::vector<std::string> data;    //!< rows of the objective's kind (preference_row.hpp): .jsonl, .jsonl.gz, .parquet, .h5
    std::vector<std::string> langs;   //!< empty = all
    std::string default_lang = "en";  //!< of rows that name no language
    std::string split, part;          //!< "train=0.6,test=0.4", "train"; empty = all rows
    bool concatenate = false;         //!< lm: all languages of a row as one document, in random order
    std::string output;               //!< model folder to write
    double lr = 1e-5;
    std::string schedule = "cosine";  //!< cosine | linear | constant
    double warmup_ratio = 0.1;
    std::int64_t warmup_steps = 0;     //!< > 0 wins over the ratio
    std::int64_t batch_pairs = 128;    //!< items a step over all ranks (pairs, or rows for lm)
    std::int64_t token_budget = 8192;  //!< physical tokens a micro-batch on one rank
    std::string recompute = "auto";    //!< auto | none | cheap | blocks: what the backward pass computes again to save memory
    double epochs = 1.0;
    std::int64_t steps = 0;  //!< > 0 wins over epochs
    std::int64_t max_length = 2048;
    std::string over_length = "drop";  //!< drop | left | right | error (lm rows: longer ones are split, not dropped)
    std::string chat_template = "auto";
    std::string template_date = "26 Jul 2024";  //!< what Llama-3.x templates write as today
    double clip = 1.0;                          //!< global gradient norm; 0 = off
    double weight_decay = 0.0;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    std::string pooling = "last";
    std::string head_init = "paper";  //!< paper | hf | zero
    std::string margin = "subtract";  //!< bt: what a row's margin does: none | subtract | scale-loss | scale-difference
    double label_smoothing = 0.0;     //!< bt, dpo
    double center_rewards_coefficient = 0.0;
    double lm_coefficient = 0.0;        //!< times the LM loss (mean per token) of each chosen answer; needs an LM head in `model`
    std::string loss_type = "sigmoid";  //!< dpo: sigmoid | robust | hinge | ipo
    double beta = 0.1;                  //!< dpo
    std::string ref_model;              //!< dpo: folder of the reference; empty = `model`
    bool precompute_ref_log_probs = false;  //!< dpo: before the first step, instead of at every step
    std::vector<std::string> eval_data;
    std::string eval_part;           //!< part of the split that is evaluated; empty = all rows of eval_data
    std::int64_t eval_every = 0;     //!< steps; 0 = only at the end
    double checkpoint_every = 15.0;  //!< minutes; 0 = only on a stop signal
    std::string resume = "auto";     //!< auto | never
    std::string dtype = "fp32";      //!< compute dtype: fp32 | bf16 (fp32 master weights)
    std::int64_t zero = 0;           //!< 1: the optimiser's state is divided among the ranks (ZeRO-1); the same bits
    std::string wire = "fp32";       //!< fp32 | bf16: what gradients travel as between ranks (gradient_reducer.hpp)
    std::string reduction = "auto";  //!< auto | flat | hierarchical
    std::int64_t lora_rank = 0;      //!< rank of LoRA's adapters; 0 = all weights are trained
    double lora_alpha = 16.0;
    std::vector<std::string> lora_targets = {"all-linear"};  //!< q_proj … down_proj, or all-linear
    std::int64_t seed = 42;
    bool add_pad_token = false;  //!< [PAD] with a row of its own, as the paper adds it (model_folder.hpp)
    bool share_prefix = true;    //!< compute the prompt of a pair once
    RowFormOptions forms;        //!< registered by the program (describe(Options&, RowFormOptions&)): a sweep has them in [data]
    std::string source;          //!< name of the source language(s), recorded in the model; empty = `langs`, or those of the data
    std::string prepared;        //!< of a sweep: a file of what `data` come to (data/prepared_file.hpp), read in their place
    at::Device device = at::kCPU;  //!< where it is computed: registered by the program (describe_device)
    Json recipe = {};              //!< of a sweep's model: what it is planned to come from; recorded in training.json as it is
};

//! Adds every field under its option name (`--lr`, `--batch-pairs`, `--batch-rows` as its synonym, …) to the current section.
void describe(Options& options, TrainOptions& train);

//! Throws Error(usage) for values that make no sense or contradict each other, naming the option.
void check(const TrainOptions& train);

//! Options of describe() that change nothing under `objective`, each with the reason ("belongs to the objective dpo").
std::vector<std::pair<std::string, std::string>> options_without_effect(const std::string& objective);

//! Throws Error(usage) for an option of `section` that was given though it changes nothing with the others as they are.
void check_given(const Options& options, const std::string& section, const TrainOptions& train);

//! What determines the result, for provenance and for the check on resume: all fields but output, resume, checkpoint_every,
//! token_budget, recompute, reduction, zero, prepared, device and recipe. Paths are given by their last part: what they hold is
//! checked by hash, and where they lie does not matter.
Json content_of(const TrainOptions& train);

}  // namespace xlrm
