#include "xlrm/train/options.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "xlrm/comm/gradient_reducer.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/infer/pooling.hpp"
#include "xlrm/store/dtype.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/train/objectives.hpp"
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
    options
        .add_choice("objective", &train.objective, objective_names(),
                    "reward model from pairs (bt), rankings or labels (regression); language model from {text} rows (lm), "
                    "responses (sft) or pairs "
                    "(dpo): by what the rows are")
        .add("model", &train.model, "DIR", "model folder to start from, with its tokenizer: a base or an instruct model")
        .add("model-config", &train.model_config, "FILE",
             "config.json of a model to be made from nothing, instead of --model (lm on your own corpus)")
        .add("tokenizer", &train.tokenizer, "DIR", "folder of its tokenizer; give it with --model-config [that of --model]")
        .add("data", &train.data, "FILE,…",
             "rows to train on: .jsonl, .jsonl.gz, .parquet, prepared .h5 (saves preparing them in every run)")
        .add("langs", &train.langs, "LANG,…", "languages to keep; give it when the files hold more than one is to learn [all]")
        .add("default-lang", &train.default_lang, "LANG",
             "language of rows that name none; change it where such rows are not English")
        .add("split", &train.split, "NAME=SHARE,…",
             "parts by a hash of the id, siblings and translations together; when test items are in the same files")
        .add("part", &train.part, "NAME", "part of the split to train on; needed with --split")
        .add("concatenate", &train.concatenate,
             "lm: all languages of a row as one document, in random order; plants the alignment of languages")
        .add("max-length", &train.max_length, "TOKENS",
             "longest text; longer lm documents are split. Lower it to save memory, raise it when the report says too long")
        .add_choice("over-length", &train.over_length, {"drop", "left", "right", "error"},
                    "what becomes of a pair with a longer text; left or right keep its end or its begin, error is for data that "
                    "must be whole")
        .add("template", &train.chat_template, "NAME", template_help())
        .add("template-date", &train.template_date, "DATE", kTemplateDateHelp)
        .add("eval-data", &train.eval_data, "FILE,…", "rows for evaluation during training; to see overfitting before the end")
        .add("eval-part", &train.eval_part, "NAME",
             "part of the split to evaluate; when --eval-data are the training files [all rows]")
        .add("eval-every", &train.eval_every, "STEPS",
             "evaluate so often; 0: only at the end. More often where a run may be stopped early")
        .add("source", &train.source, "NAME",
             "name of the source language(s) to record; for a mixture that has a name [the languages]")
        .add("output", &train.output, "DIR", "model folder to write; a run that was stopped goes on in the same one");
}

void describe_optimisation(Options& options, TrainOptions& train) {
    options
        .add("lr", &train.lr, "RATE",
             "peak learning rate; about 1e-5 for pretrained models, 1e-4 with adapters, more for small models from nothing")
        .add_choice("schedule", &train.schedule, {"cosine", "linear", "constant"},
                    "learning rate after the warm-up; constant when the run may be prolonged")
        .add("warmup-ratio", &train.warmup_ratio, "SHARE",
             "share of the steps in which the rate grows from 0; more when the first losses jump")
        .add("warmup-steps", &train.warmup_steps, "N", "the same as a number of steps, which wins; 0: by --warmup-ratio")
        .add("batch-pairs", &train.batch_pairs, "ITEMS",
             "items a step, over all ranks; fewer for small data, so that there are enough steps")
        .add("batch-rows", &train.batch_pairs, "ITEMS", "another name of --batch-pairs, for rows that are no pairs")
        .add("token-budget", &train.token_budget, "TOKENS",
             "computed tokens a micro-batch on one rank; lower it when memory runs out. Changes no result but last bits")
        .add_choice("recompute", &train.recompute, {"auto", "none", "cheap", "blocks"},
                    "what the backward pass computes again to save memory: cheap (norms, activations), blocks (all but each "
                    "block's input); auto: the least "
                    "for which memory is free; set it where others share the memory")
        .add("epochs", &train.epochs, "N",
             "passes over the data; one is usual for large data, two or three for some thousand pairs")
        .add("steps", &train.steps, "N", "optimiser steps, which win over --epochs; 0: by --epochs. For trials and equal budgets")
        .add("clip", &train.clip, "NORM", "largest norm of the gradient; 0: off. Lower it when the loss jumps")
        .add("weight-decay", &train.weight_decay, "RATE",
             "decoupled decay, none on norms and biases; 0.01 to 0.1 when training from nothing")
        .add("beta1", &train.beta1, "RATE", "AdamW: decay of the first moment; to match another trainer")
        .add("beta2", &train.beta2, "RATE", "AdamW: decay of the second moment; 0.95 is usual for pretraining")
        .add("eps", &train.eps, "VALUE", "AdamW: added to the denominator; to match another trainer")
        .add_choice("dtype", &train.dtype, {"fp32", "bf16"},
                    "number format of the computation, master weights stay fp32; bf16 is faster and half as large")
        .add("lora-rank", &train.lora_rank, "R",
             "train low-rank adapters of the weights alone, 8 to 64; 0: all weights. When the optimiser's state is too large")
        .add("lora-alpha", &train.lora_alpha, "A",
             "adapters: their product counts alpha / rank times; change it along with --lora-rank")
        .add("lora-targets", &train.lora_targets, "NAME,…",
             "adapters: matrices that get one (q_proj, v_proj, …), or all-linear; fewer to save memory")
        .add("zero", &train.zero, "STAGE",
             "1: divide the optimiser's state among the ranks, with the same bits; when it does not fit on one")
        .add_choice("wire", &train.wire, {"fp32", "bf16"},
                    "number format in which gradients travel between ranks (added in fp32); bf16 on slow networks")
        .add_choice("reduction", &train.reduction, {"auto", "flat", "hierarchical"},
                    "gradients: hierarchical sums a node's ranks in shared memory, flat is MPI alone; auto: hierarchical where "
                    "ranks share a node. flat where "
                    "cores are idle")
        .add("seed", &train.seed, "N", "of the order of examples and of new weights; several for an idea of the spread");
}

void describe_objective(Options& options, TrainOptions& train) {
    options
        .add_choice("pooling", &train.pooling, {"last", "hf", "first_pad"},
                    "token that the reward head reads; hf or first_pad to match models of others")
        .add_choice("head-init", &train.head_init, {"paper", "hf", "zero"},
                    "a new reward head: N(0, 1/√(d+1)), N(0, 0.02) or zero; hf to match transformers")
        .add_choice("margin", &train.margin, {"none", "subtract", "scale-loss", "scale-difference"},
                    "bt: what the `margin` of a row does to its loss; none to leave margins of the data out")
        .add("label-smoothing", &train.label_smoothing, "SHARE",
             "bt, dpo: pairs taken to be labelled the wrong way round; for noisy labels")
        .add("center-rewards-coefficient", &train.center_rewards_coefficient, "C",
             "adds C·(r_chosen + r_rejected)² to a pair's loss; 0.01 keeps rewards near 0")
        .add("lm-coefficient", &train.lm_coefficient, "C",
             "adds C times the LM loss of the chosen answer to a pair's loss; keeps the model's language")
        .add_choice("loss-type", &train.loss_type, {"sigmoid", "robust", "hinge", "ipo"},
                    "dpo: its loss; robust for noisy labels, ipo against overfitting")
        .add("beta", &train.beta, "BETA", "dpo: weight of the reference; larger stays nearer to it")
        .add("ref-model", &train.ref_model, "DIR", "dpo: the reference, when it is not the start [--model]")
        .add("precompute-ref-log-probs", &train.precompute_ref_log_probs,
             "dpo: ask the reference once, before the first step; saves its memory")
        .add("add-pad-token", &train.add_pad_token,
             "give the model a pad token of its own, [PAD], and its embedding a row; to be as in the paper")
        .add("share-prefix", &train.share_prefix, "compute the prompt of a pair once; `no` only to compare")
        .add("checkpoint-every", &train.checkpoint_every, "MINUTES",
             "time between checkpoints; 0: only when asked to stop. Less where nodes fail")
        .add_choice("resume", &train.resume, {"auto", "never"},
                    "auto: go on from a checkpoint of the same run; never: begin again");
}

}  // namespace

void describe(Options& options, TrainOptions& train) {
    describe_data(options, train);
    describe_optimisation(options, train);
    describe_objective(options, train);
}

namespace {

//! Objectives under which an option has an effect; empty: under all.
std::vector<std::string> objectives_of(const std::string& option) {
    std::vector<std::string> names;
    for (const ObjectiveEntry& entry : objectives()) {
        if (std::ranges::find(entry.options, option) != entry.options.end()) names.emplace_back(entry.name);
    }
    return names;
}

std::string belongs_to(const std::vector<std::string>& names) {
    std::string text = names.size() == 1 ? "belongs to the objective " : "belongs to the objectives ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
    }
    return text;
}

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
    const ObjectiveEntry& objective = objective_entry(t.objective);
    require_usage(!t.model.empty() || !t.model_config.empty(),
                  "--model is not given; name the folder to start from (or, for a model made from nothing, --model-config and "
                  "--tokenizer)");
    require_usage(t.model.empty() || t.model_config.empty(), "give either --model or --model-config, not both");
    require_usage(t.model_config.empty() || !t.tokenizer.empty(),
                  "--model-config needs --tokenizer, the folder of the new model's tokenizer");
    require_usage(!t.data.empty(), "--data is not given; name the rows to train on (.jsonl, .jsonl.gz, .parquet, .h5)");
    require_usage(!t.output.empty(), "--output is not given; name the model folder to write");
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
    require_usage(objective.rows == RowKind::document || !t.concatenate, "--concatenate belongs to the objective lm");
    parse_schedule(t.schedule);
    require_usage(!t.add_pad_token || !t.model.empty(),
                  "--add-pad-token needs --model, whose embedding gets a row for the token");
    parse_pooling(t.pooling);
    require_usage(t.warmup_steps >= 0, "--warmup-steps must not be negative");
    require_usage(t.zero == 0 || t.zero == 1, "--zero " + std::to_string(t.zero) + " is not known (0, 1)");
    require_usage(t.lora_rank >= 0, "--lora-rank must not be negative");
    require_usage(t.lora_alpha > 0.0, "--lora-alpha must be above 0");
    require_usage(t.lora_rank == 0 || !t.model.empty(), "--lora-rank needs --model, the weights that are adapted");
    require_usage(t.lora_rank == 0 || !t.lora_targets.empty(), "--lora-targets is empty");
    warmup_steps(t.warmup_ratio, 1);
}

std::vector<std::pair<std::string, std::string>> options_without_effect(const std::string& objective) {
    const std::vector<std::string>& own = objective_entry(objective).options;
    std::set<std::string> seen(own.begin(), own.end());
    std::vector<std::pair<std::string, std::string>> list;
    for (const ObjectiveEntry& entry : objectives()) {
        for (const std::string& option : entry.options) {
            if (seen.insert(option).second) list.emplace_back(option, belongs_to(objectives_of(option)));
        }
    }
    return list;
}

void check_given(const Options& options, const std::string& section, const TrainOptions& train) {
    const auto given = [&](const std::string& name) { return options.given(section + "." + name); };
    const auto refuse = [&](const std::string& name, bool useless, const std::string& why) {
        if (useless && given(name))
            fail("--" + name + " " + why + ", so it would change nothing here; leave it out", ExitCode::usage);
    };
    for (const auto& [name, why] : options_without_effect(train.objective))
        refuse(name, true, why + " (this one is " + train.objective + ")");
    for (const char* name : {"lora-alpha", "lora-targets"}) refuse(name, train.lora_rank == 0, "belongs to --lora-rank above 0");
    refuse("split", train.part.empty() && train.eval_part.empty(), "needs --part or --eval-part, which says what is taken of it");
    refuse("eval-part", train.eval_data.empty(), "needs --eval-data");
}

Json content_of(const TrainOptions& t) {
    Json content = {{"objective", t.objective},
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
    if (const Json forms = t.forms.content(); !forms.empty()) content["rows"] = forms;
    return content;
}

}  // namespace xlrm
