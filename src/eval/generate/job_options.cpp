#include <array>

#include "xlrm/core/error.hpp"
#include "xlrm/eval/generate.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

void describe(Options& options, GenerateJob& job) {
    options.section("generate")
        .add("model", &job.model, "DIR", "language model in Hugging Face layout")
        .add("prompts", &job.prompts, "FILE,…", "rows of any kind that have a prompt: .jsonl, .jsonl.gz, .parquet")
        .add("langs", &job.langs, "LANG,…", "languages to keep; give it when the files hold more [all]")
        .add("output", &job.output, "FILE.jsonl",
             "samples to write; name it where one model generates in several ways [xlrm-out/<model>.<prompts>.samples.jsonl]");
    describe(options, job.forms);
    options.withdraw("prefer", "answers are not read here; leave it out")
        .withdraw("pair-by", "answers are not read here; leave it out")
        .add("default-lang", &job.default_lang, "LANG", "of rows that name none")
        .add("split", &job.split, "NAME=SHARE,…",
             "divides rows by a hash of their id (siblings and translations together); when training took a part")
        .add("part", &job.part, "NAME", "which part of the split is taken; needed with --split")
        .add("template", &job.chat_template, "NAME", template_help("that of the training, else the folder's own"))
        .add("template-date", &job.template_date, "DATE",
             std::string(kTemplateDateHelp) + " (default: as in the training, else " + kTemplateDate + ")")
        .add("samples", &job.samples, "N", "texts for each prompt; several for best-of-n and pairs")
        .add("greedy", &job.sampling.greedy, "the most likely token each time: one text, for translation and judges")
        .add("temperature", &job.sampling.temperature, "T", "below 1 for more likely texts, above 1 for more varied ones")
        .add("top-k", &job.sampling.top_k, "K", "only the K most likely tokens; 0: all")
        .add("top-p", &job.sampling.top_p, "P", "only the fewest tokens that have this probability together; 1: all")
        .add("min-p", &job.sampling.min_p, "P", "only tokens with this share of the most likely one's probability; 0: all")
        .add("repetition-penalty", &job.sampling.repetition_penalty, "X",
             "above 1 against repetitions: what occurred before becomes less likely")
        .add("beams", &job.beams, "N", "beam search, the best --samples of N beams; 0: none. For translation")
        .add("length-penalty", &job.length_penalty, "X",
             "beams: sums are divided by length to this power; above 1 for longer texts")
        .add_choice("early-stopping", &job.early_stopping, {"no", "yes", "never"},
                    "beams: when the search ends, as in transformers (never: only when no beam can win any more)")
        .add("max-new-tokens", &job.max_new_tokens, "TOKENS", "longest text; raise it when many end by length")
        .add("stop", &job.stop, "TEXT,…", "texts that end a sample, which is cut before them; \\n, \\t, \\\\ and \\x2C (a comma)")
        .add("stop-ids", &job.stop_ids, "ID,…",
             "token ids that end a sample [end tokens of the model, its tokenizer and its template]")
        .add("ignore-eos", &job.ignore_eos, "end tokens are tokens like any other: for runs of a fixed length")
        .add("max-length", &job.max_length, "TOKENS",
             "of prompt and text together; 0: as many as the model has positions. Lower it to save memory")
        .add_choice("over-length", &job.over_length, {"drop", "error"},
                    "what happens to a prompt that leaves no token for a text; error is for data that must be whole")
        .add("token-budget", &job.token_budget, "TOKENS",
             "tokens computed at once on one rank, half of them of texts that go on; lower it when memory runs out. Changes no "
             "text")
        .add("cache-memory", &job.cache_memory, "MIB",
             "of keys and values on each rank; 0: as much as the texts may need, or half of what is free. Changes no text")
        .add_choice("detect", &job.detect, {"auto", "yes", "no"},
                    "the language that each text is in; auto: where xlrm was built with the detector")
        .add_choice("exact", &job.exact, {"auto", "yes", "no"},
                    "texts that depend on no batch and no rank count: auto: check and say so; yes: refuse where it does not "
                    "hold; no: no check")
        .add_choice("dtype", &job.dtype, {"fp32", "bf16"}, "compute format; bf16 is faster where the processor has it")
        .add("seed", &job.seed, "N", "of the random numbers; several for an idea of the spread");
    describe_device(options, &job.device);
}

void check_given(const Options& options, const GenerateJob& job) {
    const auto refuse = [&](const char* name, bool useless, const std::string& why) {
        if (useless && options.given(std::string("generate.") + name))
            fail(std::string("--") + name + " " + why + ", so it would change nothing here; leave it out", ExitCode::usage);
    };
    for (const char* name : {"temperature", "top-k", "top-p", "min-p", "seed"}) {
        refuse(name, job.sampling.greedy, "belongs to sampling, and --greedy takes the most likely token");
        refuse(name, job.beams > 0, "belongs to sampling, and --beams searches for the most likely text");
    }
    refuse("greedy", job.beams > 0, "is what --beams 1 does");
    for (const char* name : {"length-penalty", "early-stopping"}) refuse(name, job.beams == 0, "belongs to --beams");
    refuse("stop-ids", job.ignore_eos, "names end tokens, and --ignore-eos ignores them");
    refuse("split", job.part.empty(), "needs --part, which says what is taken of it");
}

}  // namespace xlrm
