#include <algorithm>
#include <charconv>
#include <map>

#include "xlrm/bench/bench.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {
namespace {

const std::vector<std::string> kKinds = {"roof",   "train",    "score",   "capture", "decode",  "generate",
                                         "prefix", "tokenize", "prepare", "reduce",  "scaling", "cells"};

std::int64_t number(const std::string& text, const std::string& what) {
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(status == std::errc() && end == text.data() + text.size() && value > 0,
            what + ": '" + text + "' is not a number above 0", ExitCode::usage);
    return value;
}

void above_zero(std::int64_t value, const char* option) {
    require(value > 0, std::string(option) + " must be above 0", ExitCode::usage);
}

void check_what(const BenchOptions& b) {
    for (const std::string& kind : b.what) {
        if (std::ranges::count(kKinds, kind) > 0) continue;
        std::string known;
        for (const std::string& name : kKinds) known += (known.empty() ? "" : ", ") + name;
        fail("--what '" + kind + "' is not known (" + known + ")", ExitCode::usage);
    }
    const bool tokenizes = std::ranges::count(b.what, "tokenize") > 0;
    require(!tokenizes || !b.texts.empty(), "--what tokenize needs --text, files of texts", ExitCode::usage);
    const bool prepares = std::ranges::count(b.what, "prepare") > 0;
    require(!prepares || !b.data.empty(), "--what prepare needs --data, files of rows", ExitCode::usage);
}

}  // namespace

void describe(Options& options, BenchOptions& b) {
    options.section("bench")
        .add("what", &b.what, "KIND,…",
             "roof, train, score, capture, decode, generate, prefix, tokenize, prepare, reduce, scaling, cells; empty: all that "
             "have what they need")
        .add("size", &b.size, "NAME", "random model: tiny, small, medium, or FAMILY:HIDDEN:LAYERS:HEADS:KV:FF[:VOCAB]")
        .add("model", &b.model, "DIR", "a model folder in place of --size")
        .add("tokenizer", &b.tokenizer, "DIR", "tokenizer of --data and --text (default: that of --model)")
        .add("data", &b.data, "FILE,…", "preference rows in place of synthetic pairs")
        .add("template", &b.chat_template, "NAME", "of --data: " + template_help("the tokenizer folder's own"))
        .add("template-date", &b.template_date, "DATE", kTemplateDateHelp)
        .add("max-length", &b.max_length, "TOKENS", "longest text of --data; longer ones are left out")
        .add("rows", &b.rows, "short,long", "synthetic pairs: of about 55 and 530 tokens a text")
        .add("prompt-tokens", &b.prompt_tokens, "TOKENS", "of synthetic pairs, in place of --rows")
        .add("answer-tokens", &b.answer_tokens, "TOKENS", "likewise")
        .add("pairs", &b.pairs, "PAIRS",
             "first rows of --data that are used, and pairs scored; 0: all rows, and what fills two batches")
        .add_choice("dtype", &b.dtype, {"fp32", "bf16", "both"}, "compute format")
        .add_choice("reduction", &b.reduction, {"auto", "flat", "hierarchical"}, "training: how gradients are summed over ranks")
        .add("token-budget", &b.token_budget, "TOKENS", "tokens computed at once on one rank")
        .add("batch-pairs", &b.batch_pairs, "PAIRS", "a training step, over all ranks; 0: what fills the token budget")
        .add("repeat", &b.repeat, "N", "runs behind each figure")
        .add("warm-up", &b.warm_up, "N", "runs before them that do not count")
        .add("square", &b.square, "N", "roof: side of the large matrices")
        .add("threads", &b.threads, "N", "threads of each rank; 0: as OMP_NUM_THREADS says")
        .add("text", &b.texts, "FILE,…", "tokenize: a text a line (.gz too)")
        .add("generate-data", &b.generate_data, "FILE",
             "generate: prompts and lengths, {\"ids\": […], \"new\": N} a line, in place of 64 random prompts of 32 tokens")
        .add("generate-samples", &b.generate_samples, "N",
             "generate: texts for each prompt; several are sampled (of the random prompts: with lengths from 16 to 112)")
        .add("generate-output", &b.generate_output, "FILE", "generate: writes the ids of the last run there")
        .add("scaling-pairs", &b.scaling_pairs, "N,…", "scaling: numbers of pairs")
        .add("scaling-size", &b.scaling_size, "NAME", "scaling: its model (a small one shows what grows beside the products)")
        .add("cell-counts", &b.cell_counts, "N,…", "cells: numbers of cells, multiples of 10")
        .add("json", &b.json, "FILE", "writes all figures there")
        .add("seed", &b.seed, "N", "of weights and synthetic pairs");
    describe_device(options, &b.device);
}

void check(const BenchOptions& b) {
    check_what(b);
    require(b.model.empty() || b.size == BenchOptions{}.size, "give either --model or --size", ExitCode::usage);
    named_size(b.size);
    named_size(b.scaling_size);
    for (const std::string& pairs : b.scaling_pairs) number(pairs, "--scaling-pairs");
    for (const std::string& cells : b.cell_counts)
        require(number(cells, "--cell-counts") % 10 == 0, "--cell-counts: '" + cells + "' is no multiple of 10", ExitCode::usage);
    for (const std::string& rows : b.rows)
        require(rows == "short" || rows == "long", "--rows '" + rows + "' is not known (short, long)", ExitCode::usage);
    require((b.prompt_tokens > 0) == (b.answer_tokens > 0) && b.prompt_tokens >= 0 && b.answer_tokens >= 0,
            "--prompt-tokens and --answer-tokens belong together, each above 0", ExitCode::usage);
    const bool folder = !b.model.empty() || !b.tokenizer.empty();
    require(b.data.empty() || folder, "--data needs --model or --tokenizer, the folder of the tokenizer", ExitCode::usage);
    require(b.texts.empty() || folder, "--text needs --tokenizer or --model, the folder of the tokenizer", ExitCode::usage);
    above_zero(b.generate_samples, "--generate-samples");
    above_zero(b.max_length, "--max-length");
    above_zero(b.token_budget, "--token-budget");
    above_zero(b.repeat, "--repeat");
    above_zero(b.square, "--square");
    require(b.warm_up >= 0 && b.pairs >= 0 && b.batch_pairs >= 0 && b.threads >= 0,
            "--warm-up, --pairs, --batch-pairs and --threads must not be negative", ExitCode::usage);
}

ModelConfig named_size(const std::string& size) {
    static const std::map<std::string, std::string> names = {
        {"tiny", "llama:64:2:2:1:128:512"}, {"small", "llama:384:6:6:2:1024:50257"}, {"medium", "llama:768:12:12:4:2048:50257"}};
    const auto known = names.find(size);
    const std::string text = known == names.end() ? size : known->second;
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(':', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    require(parts.size() == 6 || parts.size() == 7,
            "--size '" + size + "' is not known (tiny, small, medium, or FAMILY:HIDDEN:LAYERS:HEADS:KV:FF[:VOCAB])",
            ExitCode::usage);
    std::vector<std::int64_t> n;
    for (std::size_t i = 1; i < parts.size(); ++i) n.push_back(number(parts[i], "--size " + size));
    require(n[0] % n[2] == 0, "--size " + size + ": the hidden size is no multiple of the heads", ExitCode::usage);
    const Json json = {{"model_type", parts[0]},
                       {"hidden_size", n[0]},
                       {"num_hidden_layers", n[1]},
                       {"num_attention_heads", n[2]},
                       {"num_key_value_heads", n[3]},
                       {"intermediate_size", n[4]},
                       {"vocab_size", n.size() > 5 ? n[5] : 50257},
                       {"head_dim", n[0] / n[2]},
                       {"max_position_embeddings", 4096},
                       {"rms_norm_eps", 1e-6},
                       {"rope_theta", 10000.0},
                       {"hidden_act", "silu"},
                       {"tie_word_embeddings", true}};
    return parse_model_config(json, "--size " + size);
}

}  // namespace xlrm
