#include "xlrm/train/options.hpp"

#include <filesystem>
#include <set>

#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/model/pooling.hpp"
#include "xlrm/store/dtype.hpp"
#include "xlrm/train/objective.hpp"
#include "xlrm/train/schedule.hpp"

namespace xlrm {
namespace {

std::string last_part(const std::string& path) {
    const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
    return (whole.has_filename() ? whole.filename() : whole.parent_path().filename()).string();
}

Json last_parts(const std::vector<std::string>& paths) {
    Json out = Json::array();
    for (const std::string& path : paths) out.push_back(last_part(path));
    return out;
}

void require_usage(bool ok, const std::string& message) { require(ok, message, ExitCode::usage); }

void describe_data(Options& options, TrainOptions& train) {
    options.add_choice("objective", &train.objective, {"bt", "ranking", "regression", "lm", "sft", "dpo"},
                       "reward model from pairs (bt), rankings or labels (regression); language model from {text} rows (lm), "
                       "responses (sft) or pairs (dpo)")
        .add("model", &train.model, "DIR", "model folder to start from")
        .add("model-config", &train.model_config, "FILE", "config.json of a model to be made from nothing, instead of --model")
        .add("tokenizer", &train.tokenizer, "DIR", "folder of its tokenizer (default: --model)")
        .add("data", &train.data, "FILE,…", "rows to train on: .jsonl, .jsonl.gz, .parquet, prepared .h5")
        .add("langs", &train.langs, "LANG,…", "languages to keep (default: all)")
        .add("default-lang", &train.default_lang, "LANG", "language of rows that name none")
        .add("split", &train.split, "NAME=SHARE,…", "parts by a hash of the id; siblings and translations stay together")
        .add("part", &train.part, "NAME", "part of the split to train on")
        .add("concatenate", &train.concatenate, "lm: all languages of a row as one document, in random order")
        .add("max-length", &train.max_length, "TOKENS", "longest text; longer lm documents are split")
        .add_choice("over-length", &train.over_length, {"drop", "left", "right", "error"}, "what becomes of pairs with a longer text")
        .add("template", &train.chat_template, "NAME", "chat template: auto, none or a name")
        .add("template-date", &train.template_date, "DATE", "what Llama-3.x templates write as today")
        .add("eval-data", &train.eval_data, "FILE,…", "rows for evaluation during training")
        .add("eval-part", &train.eval_part, "NAME", "part of the split to evaluate (default: all rows)")
        .add("eval-every", &train.eval_every, "STEPS", "evaluate so often; 0: only at the end")
        .add("source", &train.source, "NAME", "name of the source language(s) to record (default: the languages)")
        .add("output", &train.output, "DIR", "model folder to write");
}

void describe_optimisation(Options& options, TrainOptions& train) {
    options.add("lr", &train.lr, "RATE", "peak learning rate")
        .add_choice("schedule", &train.schedule, {"cosine", "linear", "constant"}, "learning rate after the warm-up")
        .add("warmup-ratio", &train.warmup_ratio, "SHARE", "share of the steps in which the rate grows from 0")
        .add("warmup-steps", &train.warmup_steps, "N", "the same as a number of steps; 0: by --warmup-ratio")
        .add("batch-pairs", &train.batch_pairs, "ITEMS", "items a step, over all ranks")
        .add("batch-rows", &train.batch_pairs, "ITEMS", "another name of --batch-pairs")
        .add("token-budget", &train.token_budget, "TOKENS", "computed tokens a micro-batch on one rank")
        .add_choice("recompute", &train.recompute, {"auto", "none", "cheap", "blocks"},
                    "what the backward pass computes again to save memory: cheap (norms, activations), blocks (all but each block's input); auto: the least for which memory is free")
        .add("epochs", &train.epochs, "N", "passes over the data")
        .add("steps", &train.steps, "N", "optimiser steps; 0: by --epochs")
        .add("clip", &train.clip, "NORM", "largest norm of the gradient; 0: off")
        .add("weight-decay", &train.weight_decay, "RATE", "decoupled decay; none on norms and biases")
        .add("beta1", &train.beta1, "RATE", "AdamW: decay of the first moment")
        .add("beta2", &train.beta2, "RATE", "AdamW: decay of the second moment")
        .add("eps", &train.eps, "VALUE", "AdamW: added to the denominator")
        .add_choice("dtype", &train.dtype, {"fp32", "bf16"}, "number format of the computation; master weights are fp32")
        .add("lora-rank", &train.lora_rank, "R", "train low-rank adapters of the weights alone; 0: all weights")
        .add("lora-alpha", &train.lora_alpha, "A", "adapters: their product counts alpha / rank times")
        .add("lora-targets", &train.lora_targets, "NAME,…", "adapters: matrices that get one (q_proj, v_proj, …), or all-linear")
        .add("zero", &train.zero, "STAGE", "1: divide the optimiser's state among the ranks")
        .add_choice("wire", &train.wire, {"fp32", "bf16"}, "number format in which gradients travel between ranks; they are added in fp32")
        .add_choice("reduction", &train.reduction, {"auto", "flat", "hierarchical"},
                    "gradients: hierarchical sums a node's ranks in shared memory, flat is MPI alone; auto: hierarchical where ranks share a node")
        .add("seed", &train.seed, "N", "of the order of examples and of new weights");
}

void describe_objective(Options& options, TrainOptions& train) {
    options.add_choice("pooling", &train.pooling, {"last", "hf", "first_pad"}, "which token the reward head reads")
        .add_choice("head-init", &train.head_init, {"paper", "hf", "zero"}, "a new reward head: N(0, 1/√(d+1)), N(0, 0.02) or zero")
        .add_choice("margin", &train.margin, {"none", "subtract", "scale-loss", "scale-difference"}, "bt: what the `margin` of a row does to its loss")
        .add("label-smoothing", &train.label_smoothing, "SHARE", "bt, dpo: pairs taken to be labelled the wrong way round")
        .add("center-rewards-coefficient", &train.center_rewards_coefficient, "C", "adds C·(r_chosen + r_rejected)² to a pair's loss")
        .add("lm-coefficient", &train.lm_coefficient, "C", "adds C times the LM loss of the chosen answer to a pair's loss")
        .add_choice("loss-type", &train.loss_type, {"sigmoid", "robust", "hinge", "ipo"}, "dpo: its loss")
        .add("beta", &train.beta, "BETA", "dpo: weight of the reference")
        .add("ref-model", &train.ref_model, "DIR", "dpo: the reference (default: --model)")
        .add("precompute-ref-log-probs", &train.precompute_ref_log_probs, "dpo: ask the reference once, before the first step")
        .add("add-pad-token", &train.add_pad_token, "give the model a pad token of its own, [PAD], and its embedding a row")
        .add("share-prefix", &train.share_prefix, "compute the prompt of a pair once")
        .add("checkpoint-every", &train.checkpoint_every, "MINUTES", "time between checkpoints; 0: only when asked to stop")
        .add_choice("resume", &train.resume, {"auto", "never"}, "auto: go on from a checkpoint of the same run");
}

}  // namespace

void describe(Options& options, TrainOptions& train) {
    describe_data(options, train);
    describe_optimisation(options, train);
    describe_objective(options, train);
}

namespace {

void check_objective(const TrainOptions& t) {
    const bool bt = t.objective == "bt";
    const bool dpo = t.objective == "dpo";
    require_usage(bt || (t.lm_coefficient == 0.0 && t.center_rewards_coefficient == 0.0),
                  "--lm-coefficient and --center-rewards-coefficient belong to the objective bt");
    require_usage(bt || t.margin == "subtract", "--margin belongs to the objective bt");
    require_usage(t.label_smoothing >= 0.0 && t.label_smoothing < 0.5, "--label-smoothing must lie from 0 to below 0.5");
    require_usage(t.label_smoothing == 0.0 || bt || (dpo && (t.loss_type == "sigmoid" || t.loss_type == "robust")),
                  "--label-smoothing belongs to the objectives bt and dpo with --loss-type sigmoid or robust");
    require_usage(dpo || (t.ref_model.empty() && !t.precompute_ref_log_probs && t.loss_type == "sigmoid"),
                  "--ref-model, --precompute-ref-log-probs and --loss-type belong to the objective dpo");
    require_usage(t.beta > 0.0, "--beta must be above 0");
    parse_margin_use(t.margin);
    parse_dpo_loss(t.loss_type);
}

}  // namespace

void check(const TrainOptions& t) {
    static const std::set<std::string> objectives = {"bt", "ranking", "regression", "lm", "sft", "dpo"};
    require_usage(objectives.contains(t.objective), "--objective '" + t.objective + "' is not known (bt, ranking, regression, lm, sft, dpo)");
    require_usage(t.model.empty() != t.model_config.empty(), "give either --model or --model-config");
    require_usage(t.model_config.empty() || !t.tokenizer.empty(), "--model-config needs --tokenizer, the folder of the new model's tokenizer");
    require_usage(!t.data.empty(), "no --data is given");
    require_usage(!t.output.empty(), "no --output is given");
    require_usage(t.output != t.model, "--output is the folder of --model (it would be lost); give another one");
    require_usage(t.part.empty() || !t.split.empty(), "--part '" + t.part + "' names a part of no --split");
    require_usage(t.eval_part.empty() || !t.split.empty(), "--eval-part '" + t.eval_part + "' names a part of no --split");
    require_usage(t.lr >= 0.0, "--lr must not be negative");
    require_usage(t.batch_pairs > 0, "--batch-pairs must be above 0");
    require_usage(t.token_budget > 0, "--token-budget must be above 0");
    require_usage(t.steps >= 0, "--steps must not be negative");
    require_usage(t.steps > 0 || t.epochs > 0.0, "--epochs must be above 0");
    require_usage(t.max_length > 1, "--max-length must be above 1");
    require_usage(t.clip >= 0.0, "--clip must not be negative");
    require_usage(t.eval_every >= 0, "--eval-every must not be negative");
    require_usage(t.eval_every == 0 || !t.eval_data.empty(), "--eval-every needs --eval-data");
    require_usage(t.checkpoint_every >= 0.0, "--checkpoint-every must not be negative");
    require_usage(t.resume == "auto" || t.resume == "never", "--resume '" + t.resume + "' is not known (auto, never)");
    require_usage(t.dtype == "fp32" || t.dtype == "bf16", "--dtype '" + t.dtype + "' is not known (fp32, bf16)");
    parse_wire(t.wire);
    parse_reduction(t.reduction);
    check_objective(t);
    require_usage(t.objective == "lm" || !t.concatenate, "--concatenate belongs to the objective lm");
    parse_schedule(t.schedule);
    require_usage(!t.add_pad_token || !t.model.empty(), "--add-pad-token needs --model, whose embedding gets a row for the token");
    parse_pooling(t.pooling);
    require_usage(t.warmup_steps >= 0, "--warmup-steps must not be negative");
    require_usage(t.zero == 0 || t.zero == 1, "--zero " + std::to_string(t.zero) + " is not known (0, 1)");
    require_usage(t.lora_rank >= 0, "--lora-rank must not be negative");
    require_usage(t.lora_alpha > 0.0, "--lora-alpha must be above 0");
    require_usage(t.lora_rank == 0 || !t.model.empty(), "--lora-rank needs --model, the weights that are adapted");
    require_usage(t.lora_rank == 0 || !t.lora_targets.empty(), "--lora-targets is empty");
    warmup_steps(t.warmup_ratio, 1);
}

Json content_of(const TrainOptions& t) {
    return {{"objective", t.objective},
            {"model", last_part(t.model)},
            {"model_config", last_part(t.model_config)},
            {"tokenizer", last_part(t.tokenizer)},
            {"data", last_parts(t.data)},
            {"langs", t.langs},
            {"default_lang", t.default_lang},
            {"split", t.split},
            {"part", t.part},
            {"concatenate", t.concatenate},
            {"lr", t.lr},
            {"schedule", t.schedule},
            {"warmup_ratio", t.warmup_ratio},
            {"warmup_steps", t.warmup_steps},
            {"batch_pairs", t.batch_pairs},
            {"epochs", t.epochs},
            {"steps", t.steps},
            {"max_length", t.max_length},
            {"over_length", t.over_length},
            {"template", t.chat_template},
            {"template_date", t.template_date},
            {"clip", t.clip},
            {"weight_decay", t.weight_decay},
            {"beta1", t.beta1},
            {"beta2", t.beta2},
            {"eps", t.eps},
            {"pooling", t.pooling},
            {"add_pad_token", t.add_pad_token},
            {"head_init", t.head_init},
            {"margin", t.margin},
            {"label_smoothing", t.label_smoothing},
            {"loss_type", t.loss_type},
            {"beta", t.beta},
            {"ref_model", last_part(t.ref_model)},
            {"precompute_ref_log_probs", t.precompute_ref_log_probs},
            {"center_rewards_coefficient", t.center_rewards_coefficient},
            {"lm_coefficient", t.lm_coefficient},
            {"eval_data", last_parts(t.eval_data)},
            {"eval_part", t.eval_part},
            {"eval_every", t.eval_every},
            {"dtype", t.dtype},
            {"wire", t.wire},
            {"seed", t.seed},
            {"lora_rank", t.lora_rank},
            {"lora_alpha", t.lora_alpha},
            {"lora_targets", t.lora_targets},
            {"share_prefix", t.share_prefix},
            {"source", t.source}};
}

}  // namespace xlrm
