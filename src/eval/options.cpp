#include "xlrm/eval/options.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "xlrm/core/error.hpp"
#include "xlrm/core/lists.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

void describe(Options& options, EvaluateOptions& evaluate) {
    options
        .add("layers", &evaluate.layers, "all|none|L,…",
             "layers whose residual stream is stored, 0 = embedding output; none or a few to save disk")
        .add("capture", &evaluate.capture, "last,mean",
             "what is stored of a layer: the pooled token, the mean over the response; one to save disk")
        .add("capture-tokens", &evaluate.capture_tokens, "ITEMS",
             "items of which every token is stored too; a few dozen, for analyses by token")
        .add_choice("activation-dtype", &evaluate.activation_dtype, {"fp32", "bf16", "fp16"},
                    "format of stored layers (the last layer is always fp32); fp32 for analyses of small differences")
        .add_choice("pooling", &evaluate.pooling, {"auto", "last", "hf", "first_pad"},
                    "token that the head reads; auto: as trained. For models of others: hf")
        .add_choice("head-dtype", &evaluate.head_dtype, {"fp32", "hf"},
                    "hf: rounded as transformers does in bf16; to match its scores")
        .add_choice("exact", &evaluate.exact, {"auto", "yes", "no"},
                    "scores that depend on no batch and no rank count: auto: check and say so in the run file; yes: refuse where "
                    "it does not hold; no: no check")
        .add_choice("dtype", &evaluate.dtype, {"fp32", "bf16"},
                    "compute format; bf16 is faster, fp32 is for numbers to be compared")
        .add("token-budget", &evaluate.token_budget, "TOKENS",
             "tokens computed at once on one rank; lower it when memory runs out. Changes no score")
        .add("max-length", &evaluate.max_length, "TOKENS", "longest text; raise it when the report says too long")
        .add_choice(
            "over-length", &evaluate.over_length, {"drop", "left", "right", "error"},
            "what happens to a longer text; left or right keep its end or its begin, error is for data that must be whole")
        .add("template", &evaluate.chat_template, "NAME", template_help("that of the training, else the folder's own"))
        .add("template-date", &evaluate.template_date, "DATE",
             std::string(kTemplateDateHelp) + " (default: as in the training, else " + kTemplateDate + ")")
        .add("split", &evaluate.split, "NAME=SHARE,…",
             "divides rows by a hash of their id (siblings and translations together); when training took a part")
        .add("part", &evaluate.part, "NAME", "which part of the split is evaluated; needed with --split");
}

void check(const EvaluateOptions& evaluate) {
    const auto require_usage = [](bool ok, const std::string& message) { require(ok, message, ExitCode::usage); };
    require_usage(evaluate.token_budget > 0, "--token-budget must be above 0");
    require_usage(evaluate.max_length > 1, "--max-length must be above 1");
    require_usage(evaluate.capture_tokens >= 0, "--capture-tokens must not be negative");
    for (const std::string& name : evaluate.capture) {
        require_usage(name == "last" || name == "mean", "--capture: '" + name + "' is not known (last, mean)");
    }
    require_usage(evaluate.part.empty() || !evaluate.split.empty(), "--part '" + evaluate.part + "' names a part of no --split");
    if (evaluate.layers != "all") parse_layers(evaluate.layers, std::numeric_limits<std::int32_t>::max());
}

void check_given(const Options& options, const std::string& section, const EvaluateOptions& evaluate) {
    const auto refuse = [&](const std::string& name, bool useless, const std::string& why) {
        if (useless && options.given(section + "." + name))
            fail("--" + name + " " + why + ", so it would change nothing here; leave it out", ExitCode::usage);
    };
    for (const char* name : {"capture", "capture-tokens", "activation-dtype"}) {
        refuse(name, evaluate.layers == "none", "says what is stored of --layers, which is none");
    }
    refuse("split", evaluate.part.empty(), "needs --part, which says what is taken of it");
}

Json content_of(const EvaluateOptions& evaluate) {
    Json content = {{"layers", evaluate.layers},
                    {"capture", evaluate.capture},
                    {"capture_tokens", evaluate.capture_tokens},
                    {"activation_dtype", evaluate.activation_dtype},
                    {"pooling", evaluate.pooling},
                    {"head_dtype", evaluate.head_dtype},
                    {"dtype", evaluate.dtype},
                    {"max_length", evaluate.max_length},
                    {"over_length", evaluate.over_length},
                    {"template", evaluate.chat_template},
                    {"split", evaluate.split},
                    {"part", evaluate.part}};
    if (!evaluate.template_date.empty()) content["template_date"] = evaluate.template_date;
    if (const Json forms = evaluate.forms.content(); !forms.empty()) content["rows"] = forms;
    if (evaluate.label >= 0) content["label"] = evaluate.label;  // absent as in cells of heads with one
    if (evaluate.implicit.on) content["implicit_reward"] = {{"beta", evaluate.implicit.beta}};
    return content;
}

std::vector<std::int64_t> parse_layers(const std::string& text, std::int64_t layers) {
    std::vector<std::int64_t> result;
    if (text == "none") return result;
    if (text == "all") {
        for (std::int64_t layer = 0; layer <= layers; ++layer) result.push_back(layer);
        return result;
    }
    for (const std::string& entry : split_list(text)) {
        std::int64_t layer = -1;
        const auto [stop, status] = std::from_chars(entry.data(), entry.data() + entry.size(), layer);
        if (status != std::errc() || stop != entry.data() + entry.size() || layer < 0 || layer > layers) {
            fail("--layers " + text + ": \"" + entry +
                     "\" is not a layer of this model; write all, none, or numbers from 0 (embedding output) to " +
                     std::to_string(layers),
                 ExitCode::usage);
        }
        if (std::ranges::count(result, layer) > 0)
            fail("--layers " + text + ": layer " + std::to_string(layer) + " is named twice", ExitCode::usage);
        result.push_back(layer);
    }
    require(!result.empty(), "--layers: it is empty; write all, none, or numbers of layers", ExitCode::usage);
    return result;
}

}  // namespace xlrm
