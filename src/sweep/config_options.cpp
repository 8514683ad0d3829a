#include "xlrm/core/lists.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/sweep/config.hpp"

namespace xlrm {

namespace {

//! What a sweep sets itself, each with what to write instead, and what changes nothing under its objective.
void withdraw(Options& options, const std::string& objective, const std::vector<std::pair<std::string, std::string>>& set_here) {
    for (const auto& [name, instead] : set_here) options.withdraw(name, instead);
    for (const auto& [name, why] : options_without_effect(objective))
        options.withdraw(name, "it " + why + ", and this one is " + objective);
}

}  // namespace

void complete(SweepConfig& config, const Options& options) {
    if (config.smoke) config.world = "smoke";
    if (!config.output.empty()) return;
    const std::string name = std::filesystem::path(options.config_path()).stem().string();
    config.output = "xlrm-out/" + (name.empty() ? std::string(config.smoke ? "smoke" : "quickstart") : name);
}

void describe(Options& options, SweepConfig& c) {
    options.section("sweep")
        .add("bases", &c.bases, "NAME=DIR,…",
             "base models; give your own as name=DIR. A name without DIR is the one that [pretrain] makes")
        .add("models", &c.models, "NAME=DIR,…",
             "reward models and judges ([judge] models) that are given ready, also folders of TRL and transformers: evaluated as "
             "they are, each a row of its own in the tables, to compare with")
        .add(
            "sources", &c.sources, "LANG,…",
            "languages trained on; name=en+es trains on several together; fewer than the targets for a first look [[data] langs]")
        .add("targets", &c.targets, "LANG,…", "languages evaluated; more may be added later [[data] langs]")
        .add("seeds", &c.seeds, "N,…", "one model for each base, source and seed; several for an idea of the spread")
        .add("ranks-per-cell", &c.ranks_per_cell, "RANKS",
             "ranks that work on one cell together; more when a model does not fit into one rank's memory or cells are few")
        .add("pretrain-ranks", &c.pretrain_ranks, "RANKS",
             "ranks that make the base together; all of them when it takes long; 0: as ranks-per-cell")
        .add("noise-floor", &c.noise_floor,
             "evaluate each base once more in bf16, so that shifts of representations can be told from rounding")
        .add("output", &c.output, "DIR",
             "sweep folder; a new one for other options or data of the same names [xlrm-out/<configuration's name>]")
        .add_choice("analysis", &c.analysis, {"yes", "no"},
                    "analyse the cells when all are there (xlrm_analyze does it later just as well): tables in OUT/analysis")
        .add_choice(
            "report", &c.report, {"yes", "no"},
            "then draw figures and write OUT/report.html, where there is a Python with h5py and matplotlib (as xlrm_report)")
        .add("smoke", &c.smoke, "the embedded world at a size of seconds, to test an installation");
    describe_device(options, &c.device);
    options.section("data")
        .add("root", &c.data_root, "DIR",
             "relative paths of the configuration are taken from here; when the data lie elsewhere on this machine")
        .add("world", &c.world, "full|smoke", "data of the synthetic quickstart world instead of files; to try things out")
        .add("world-seed", &c.world_seed, "N", "seed of that world; another for a second world")
        .add("train", &c.train_files, "FILE,…",
             "preference rows to train on, or items that xlrm_prepare made for the tokenizer of every base")
        .add("langs", &c.langs, "LANG,…", "languages of the grid, where [sweep] sources and targets do not say otherwise")
        .add("split", &c.split, "train=SHARE,test=SHARE",
             "divide rows by a hash of their id: training takes part train, evaluation test; when both come from the same files")
        .add_prefix(
            "eval.", [&c](const std::string& name, const std::string& value) { c.benchmarks[name] = split_list(value); },
            "FILE,…",
            "eval.<benchmark>: preference rows to evaluate on, or prepared items as in train; one for each benchmark, more may "
            "be added later");
    describe(options, c.forms);
    options.section("tokenizer")
        .add("data", &c.tokenizer_data, "FILE,…", "{text} rows to train a unigram sentencepiece model on, for a base made here")
        .add("langs", &c.tokenizer_langs, "LANG,…",
             "languages of those rows that are used; when the texts hold more than the grid [all]")
        .add("vocab-size", &c.vocab_size, "PIECES", "its size; more for more languages, less for small models");
    options.section("model")
        .add_choice("family", &c.shape.family, {"llama", "qwen2"}, "family of a base made here; qwen2 has biases in attention")
        .add("hidden", &c.shape.hidden, "N", "width of the residual stream; a multiple of heads. Grows parameters by its square")
        .add("layers", &c.shape.layers, "N", "blocks; more before wider where the data are many")
        .add("heads", &c.shape.heads, "N", "attention heads; hidden / heads of 32 to 128 is usual")
        .add("kv-heads", &c.shape.kv_heads, "N", "key and value heads; fewer than heads save memory in generation")
        .add("intermediate", &c.shape.intermediate, "N", "width of the gated MLP; about 8/3 of hidden")
        .add("max-positions", &c.shape.max_positions, "TOKENS", "longest text; at least the longest max-length");
    c.pretrain.objective = "lm";
    options.section("pretrain");
    describe(options, c.pretrain);
    withdraw(
        options, c.pretrain.objective,
        {{"objective",
          "a base is pretrained as a language model (lm); train another with xlrm_train and give it as [sweep] bases = name=DIR"},
         {"output", "the base goes into the sweep's folder; write [sweep] output"},
         {"source", "a base has no source language"}});
    options.section("train");
    describe(options, c.train);
    withdraw(options, c.train.objective,
             {{"objective", "a sweep trains reward models from pairs (bt); for others use xlrm_train"},
              {"model", "models start from the sweep's bases; write [sweep] bases = name=DIR"},
              {"model-config", "models start from the sweep's bases; write [model] for the shape of one that is made"},
              {"tokenizer", "a base brings its tokenizer; write [sweep] bases = name=DIR"},
              {"data", "write [data] train"},
              {"langs", "a model is trained on its source's languages; write [sweep] sources"},
              {"default-lang", "rows name their language (lang); those that name none are English"},
              {"split", "write [data] split: training takes its part train"},
              {"part", "training takes the part train of [data] split"},
              {"source", "write [sweep] sources"},
              {"output", "models go into the sweep's folder; write [sweep] output"},
              {"seed", "write [sweep] seeds"}});
    options.section("evaluate");
    describe(options, c.evaluate);
    options.withdraw("split", "write [data] split: evaluation takes its part test");
    options.withdraw("part", "evaluation takes the part test of [data] split");
    options.section("judge").add(
        "models", &c.judges, "NAME,…",
        "language models among [sweep] models that say which answers are better, in place of being scored");
    describe_judging(options, c.judge);
    describe_analysis(options, c.analyze);
}

}  // namespace xlrm
