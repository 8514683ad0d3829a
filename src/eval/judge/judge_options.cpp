#include "xlrm/core/error.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/eval/judge.hpp"
#include "xlrm/text/chat_template.hpp"

namespace xlrm {

void describe_judging(Options& options, JudgeJob& job) {
    GenerateJob& generate = job.generate;
    options
        .add("prompt", &job.prompt, "FILE",
             "what the judge is asked, with named placeholders (jobs/judges): which of two answers is better, which of four is "
             "the "
             "best, or how good one is")
        .add_choice(
            "parser", &job.parser, JudgeParser::names(),
            "rule by which verdicts are read, part of the protocol; another than strict to compare with published figures")
        .add_choice("orders", &job.orders, {"AB", "BA", "both-consistent", "both-average"},
                    "of pairs: the chosen answer as A, as B, or both: a preference where both agree, or the mean of both")
        .add("votes", &job.votes, "N",
             "judgements of each prompt, of which the majority (of ratings the median) counts; 1: one, greedy")
        .add("template", &generate.chat_template, "NAME", template_help("that of the training, else the folder's own"))
        .add("template-date", &generate.template_date, "DATE", kTemplateDateHelp)
        .add("max-new-tokens", &generate.max_new_tokens, "TOKENS", "longest reply; raise it when verdicts are cut off")
        .add("max-length", &generate.max_length, "TOKENS", "of prompt and reply together; 0: as many as the model has positions")
        .add("stop", &generate.stop, "TEXT,…",
             "texts that end a reply, which is cut before them, so give none that a verdict needs; \\n, \\t, \\\\ and \\x2C (a "
             "comma)")
        .add("temperature", &generate.sampling.temperature, "T", "with several votes")
        .add("top-p", &generate.sampling.top_p, "P", "with several votes")
        .add("seed", &generate.seed, "N", "with several votes; of a ranking also the places at which right answers are shown")
        .add("token-budget", &generate.token_budget, "TOKENS",
             "tokens computed at once on one rank; lower it when memory runs out. Changes no reply")
        .add("cache-memory", &generate.cache_memory, "MIB",
             "of keys and values on each rank; 0: as much as needed, or half of what is free")
        .add_choice("exact", &generate.exact, {"auto", "yes", "no"},
                    "replies that depend on no batch and no rank count: check, refuse, or no check")
        .add_choice("dtype", &generate.dtype, {"fp32", "bf16"}, "compute format; bf16 is faster where the processor has it");
}

void describe(Options& options, JudgeJob& job) {
    GenerateJob& generate = job.generate;
    std::vector<std::string> benchmarks = benchmark_names();
    benchmarks.insert(benchmarks.begin(), "auto");
    options.section("judge")
        .add("data", &job.data, "FILE,…",
             "preference rows: .jsonl, .jsonl.gz, .parquet; of two answers, of four for a ranking, of any number for ratings")
        .add("langs", &job.langs, "LANG,…", "languages to keep; give it when the files hold more [all]")
        .add("output", &job.output, "CELL.h5", "cell to write, replies beside it; of export the file of requests")
        .add("model", &generate.model, "DIR", "run: language model in Hugging Face layout that judges");
    describe_judging(options, job);
    options
        .add_choice("benchmark", &job.benchmark, benchmarks,
                    "whose rule makes sections and total; auto: by the names of the subsets. rewardbench2 for its rows")
        .add_choice("ties", &job.ties, {"auto", "loss", "half", "shared"},
                    "worth of an even item; auto: as the benchmark has it, a half where that is nothing")
        .add("judge", &job.judge, "NAME", "export, import: the service's name of the model")
        .add("request-options", &job.request_options, "JSON",
             "export: put into the body of each request ({\"temperature\": 0, …})")
        .add("verdicts", &job.verdicts, "FILE,…",
             "import: rows of id, lang, order and text or verdict; or the service's batch output")
        .add("split", &generate.split, "NAME=SHARE,…", "divides rows by a hash of their id")
        .add("part", &generate.part, "NAME", "which part of the split is taken; needed with --split");
    describe_device(options, &generate.device);
    describe(options, generate.forms);
}

void check_given(const Options& options, const JudgeJob& job) {
    const auto refuse = [&](const char* name, bool useless, const std::string& why) {
        if (useless && options.given(std::string("judge.") + name))
            fail(std::string("--") + name + " " + why + ", so it would change nothing here; leave it out", ExitCode::usage);
    };
    const JudgeForm form = job.prompt.empty() ? JudgeForm::pair : JudgePrompt::read(job.prompt).form();
    refuse("orders", form != JudgeForm::pair, std::string("is of pairs, and the prompt asks for a ") + name_of(form));
    for (const char* name : {"temperature", "top-p"})
        refuse(name, job.votes == 1, "belongs to several --votes, and one judgement is greedy");
    refuse("seed", job.votes == 1 && form != JudgeForm::ranking, "belongs to several --votes, and one judgement is greedy");
    const bool runs = job.verb == "run";
    for (const char* name : {"model", "template", "template-date", "max-new-tokens", "max-length", "stop", "votes", "temperature",
                             "top-p", "token-budget", "cache-memory", "exact", "dtype", "device"})
        refuse(name, !runs, "is of a model that runs here");
    for (const char* name : {"judge", "verdicts", "request-options"}) refuse(name, runs, "is of a judge that runs elsewhere");
    refuse("verdicts", job.verb == "export", "belongs to import");
    for (const char* name : {"parser", "benchmark", "ties"}) refuse(name, job.verb == "export", "is of verdicts");
    refuse("request-options", job.verb == "import", "belongs to export");
    refuse("split", job.generate.part.empty(), "needs --part, which says what is taken of it");
}

Json judging_content(const JudgeJob& job, JudgeForm form) {
    const GenerateJob& generate = job.generate;
    Json content = {{"parser", job.parser},
                    {"votes", job.votes},
                    {"template", generate.chat_template},
                    {"template_date", generate.template_date},
                    {"max_new_tokens", generate.max_new_tokens},
                    {"max_length", generate.max_length},
                    {"stop", generate.stop},
                    {"dtype", generate.dtype}};
    if (form == JudgeForm::pair) content["orders"] = job.orders;
    if (job.votes > 1 || form == JudgeForm::ranking) content["seed"] = generate.seed;
    if (job.votes > 1) {
        content["temperature"] = generate.sampling.temperature;
        content["top_p"] = generate.sampling.top_p;
    }
    return content;
}

}  // namespace xlrm
