#include "xlrm/eval/options.hpp"

#include <charconv>

#include "xlrm/core/error.hpp"

namespace xlrm {

void describe(Options& options, EvaluateOptions& evaluate) {
    options.add("layers", &evaluate.layers, "all|none|L,…", "layers whose residual stream is stored; 0 = embedding output")
        .add("capture", &evaluate.capture, "last,mean", "what is stored of a layer: the pooled token, the mean over the response")
        .add("capture-tokens", &evaluate.capture_tokens, "ITEMS", "items of which every token is stored too")
        .add_choice("activation-dtype", &evaluate.activation_dtype, {"fp32", "bf16", "fp16"},
                    "format of stored layers (the last layer is always fp32)")
        .add_choice("pooling", &evaluate.pooling, {"auto", "last", "hf", "first_pad"}, "token that the head reads; auto: as trained")
        .add_choice("head-dtype", &evaluate.head_dtype, {"fp32", "hf"}, "hf: rounded as transformers does in bf16")
        .add_choice("exact", &evaluate.exact, {"auto", "yes", "no"}, "scores that depend on no batch and no rank count: auto: check and tell it in the run file; yes: refuse where it does not hold; no: no check")
        .add_choice("dtype", &evaluate.dtype, {"fp32", "bf16"}, "compute format")
        .add("token-budget", &evaluate.token_budget, "TOKENS", "tokens computed at once on one rank")
        .add("max-length", &evaluate.max_length, "TOKENS", "longest text")
        .add_choice("over-length", &evaluate.over_length, {"drop", "left", "right", "error"}, "what happens to a longer text")
        .add("template", &evaluate.chat_template, "NAME", "chat template; auto: the model's own")
        .add("split", &evaluate.split, "NAME=SHARE,…", "divides rows by a hash of their id (siblings and translations together)")
        .add("part", &evaluate.part, "NAME", "which part of the split is evaluated; empty: all rows");
}

Json content_of(const EvaluateOptions& evaluate) {
    Json content = {{"layers", evaluate.layers},         {"capture", evaluate.capture},       {"capture_tokens", evaluate.capture_tokens},
            {"activation_dtype", evaluate.activation_dtype}, {"pooling", evaluate.pooling}, {"head_dtype", evaluate.head_dtype},
            {"dtype", evaluate.dtype},           {"max_length", evaluate.max_length}, {"over_length", evaluate.over_length},
            {"template", evaluate.chat_template}, {"split", evaluate.split},          {"part", evaluate.part}};
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
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        std::int64_t layer = -1;
        const auto [stop, status] = std::from_chars(text.data() + begin, text.data() + end, layer);
        if (status != std::errc() || stop != text.data() + end || layer < 0 || layer > layers) {
            fail("--layers " + text + ": \"" + text.substr(begin, end - begin) + "\" is not a layer of this model; write all, none, or " +
                     "numbers from 0 (embedding output) to " + std::to_string(layers),
                 ExitCode::usage);
        }
        result.push_back(layer);
        begin = end + 1;
    }
    return result;
}

}  // namespace xlrm
