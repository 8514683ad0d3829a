#include "xlrm/eval/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "label_rows.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/eval/benchmark.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/eval/rewardbench_files.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/stats/intervals.hpp"

namespace xlrm {

namespace {

std::vector<std::filesystem::path> paths_of(const std::vector<std::string>& files) { return {files.begin(), files.end()}; }

void check_job(const EvaluateJob& job) {
    require(!job.model.empty(), "--model is not given; name the model folder to evaluate", ExitCode::usage);
    require(job.export_as == "none" ||
                std::none_of(job.data.begin(), job.data.end(), [](const std::string& file) { return file.ends_with(".h5"); }),
            "--export rewardbench: the result files hold the texts, which prepared .h5 data do not; give --data the rows "
            "(.jsonl, .parquet)",
            ExitCode::usage);
    const ImplicitOptions& implicit = job.evaluate.implicit;
    require(job.reward != "implicit" || !implicit.ref_model.empty(),
            "--reward implicit: give --ref-model, the model that the policy was trained from (or none)", ExitCode::usage);
    require(job.reward == "implicit" || implicit.ref_model.empty(), "--ref-model belongs to --reward implicit", ExitCode::usage);
    check(job.evaluate);
    require(implicit.beta > 0.0, "--beta must be above 0", ExitCode::usage);
    require(!job.data.empty(), "--data is not given; name the rows to evaluate (.jsonl, .jsonl.gz, .parquet, .h5)",
            ExitCode::usage);
}

//! Collective: every rank reads what belongs to the model but its weights, or all learn why it cannot be.
std::unique_ptr<Evaluator> open_evaluator(const Communicator& world, const EvaluateJob& job) {
    std::unique_ptr<Evaluator> evaluator;
    EvaluateOptions options = job.evaluate;
    options.implicit.on = job.reward == "implicit";
    together(world, [&] {
        const Activity activity("reading the model's settings");
        evaluator = std::make_unique<Evaluator>(job.model, options);
    });
    return evaluator;
}

void print_accuracy(const Cell& cell) {
    struct Count {
        std::int64_t correct = 0, ties = 0, items = 0;
    };
    std::map<std::string, Count> languages;
    for (std::size_t i = 0; i < cell.chosen.size(); ++i) {
        Count& count = languages[cell.lang[i]];
        ++count.items;
        count.correct += cell.chosen[i] > cell.rejected[i] ? 1 : 0;
        count.ties += cell.chosen[i] == cell.rejected[i] ? 1 : 0;
    }
    for (const auto& [lang, count] : languages) {
        const Interval interval = wilson_interval(count.correct, count.items);
        std::printf("%-6s %6ld items  accuracy %5.1f %% [%.1f, %.1f]  ties %ld\n", lang.c_str(), static_cast<long>(count.items),
                    100.0 * static_cast<double>(count.correct) / static_cast<double>(count.items), 100.0 * interval.low,
                    100.0 * interval.high, static_cast<long>(count.ties));
    }
}

//! What the benchmark's rule makes of the cell, and the files for those who ask.
void tell_benchmark(const Evaluator& evaluator, const EvaluateJob& job, const std::filesystem::path& output, const Cell& cell) {
    const std::vector<ScoredItem> items = scored_items(cell);
    const BenchmarkReport report = report_benchmark(job.benchmark, job.ties, items);
    if (report.benchmark != "plain" || job.benchmark != "auto" || job.ties != "auto")
        std::printf("%s", format_benchmark(report).c_str());
    if (job.export_as == "none") return;
    require(
        cell.has_scores,
        "--export rewardbench: this model has no reward head, so there are no scores to export (a policy has --reward implicit)",
        ExitCode::usage);
    const std::string model = std::filesystem::path(job.model).lexically_normal().filename().string();
    const RewardBenchExport target{output.parent_path() / "rewardbench",
                                   job.export_name.empty() ? "xlrm/" + cell.model : job.export_name, model,
                                   cell.chat_template == "none" || cell.chat_template == "concat" ? "none" : "tokenizer"};
    write_rewardbench_files(target, report, items, evaluator.texts(paths_of(job.data), job.langs, items));
    std::printf("result files: %s\n", target.folder.c_str());
}

}  // namespace

void describe(Options& options, EvaluateJob& job) {
    options.section("evaluate")
        .add("model", &job.model, "DIR", "reward model (or base model: activations only) in Hugging Face layout")
        .add("data", &job.data, "FILE,…",
             "preference rows: .jsonl, .jsonl.gz, .parquet, or prepared .h5; or samples (one .jsonl), which get the score")
        .add("langs", &job.langs, "LANG,…", "languages to keep; give it when the files hold more [all]")
        .add("output", &job.output, "CELL.h5",
             "cell file to write; name it where one model is evaluated in several ways [xlrm-out/<model>.<data>.h5]; of samples: "
             "the file with scores [xlrm-out/<data>.scored.jsonl]")
        .add("score-name", &job.score_name, "NAME", "samples: what the score is called in them [the model folder's name]");
    describe(options, job.evaluate.forms);
    std::vector<std::string> benchmarks = benchmark_names();
    benchmarks.insert(benchmarks.begin(), "auto");
    options
        .add_choice(
            "benchmark", &job.benchmark, benchmarks,
            "whose rule makes sections and total; auto: by the names of the subsets. Name it where subsets have other names")
        .add_choice("ties", &job.ties, {"auto", "loss", "half", "shared"},
                    "worth of an equal score; auto: as the benchmark has it. half to compare with other leaderboards")
        .add_choice("export", &job.export_as, {"none", "rewardbench"},
                    "result files as RewardBench's scripts write them, beside the cell; to hand results in")
        .add("export-name", &job.export_name, "ORG/MODEL", "the model's name in them, with your organisation [xlrm/<model>]");
    options
        .add_choice("reward", &job.reward, {"head", "implicit"},
                    "implicit: beta · (log p of the answer - the reference's), for policies")
        .add("ref-model", &job.evaluate.implicit.ref_model, "DIR", "implicit reward: the reference; none: without one")
        .add("label", &job.evaluate.label, "N",
             "which label of the reward head is the score, from 0; needed where it has several (objective regression); -1: it "
             "has one")
        .add("beta", &job.evaluate.implicit.beta, "BETA",
             "implicit reward: its factor, that of its training (RewardBench has 1)");
    describe(options, job.evaluate);
    describe_device(options, &job.evaluate.device);
}

void check_given(const Options& options, const EvaluateJob& job) {
    const auto refuse = [&](const std::string& name, bool useless, const std::string& why) {
        if (useless && options.given("evaluate." + name))
            fail("--" + name + " " + why + ", so it would change nothing here; leave it out", ExitCode::usage);
    };
    const bool implicit = job.reward == "implicit";
    for (const char* name : {"beta", "ref-model"}) refuse(name, !implicit, "belongs to --reward implicit");
    refuse("head-dtype", implicit, "is that of a reward head, which --reward implicit does not use");
    refuse("export-name", job.export_as == "none", "belongs to --export");
    check_given(options, "evaluate", job.evaluate);
}

ExitCode run_evaluate(const Communicator& world, const EvaluateJob& job) {
    bool labels = false;
    together(world, [&] {
        check_job(job);
        labels = labels_rows(job);
    });
    if (labels) return label_rows(world, job);
    require(job.score_name.empty(), "--score-name belongs to samples, and these rows make a cell; leave it out", ExitCode::usage);
    const auto start = std::chrono::steady_clock::now();
    std::filesystem::path output = job.output;
    if (output.empty()) {
        const std::filesystem::path data(job.data[0]);
        output =
            std::filesystem::path("xlrm-out") / (std::filesystem::path(job.model).filename().string() + "." +
                                                 data.filename().string().substr(0, data.filename().string().find('.')) + ".h5");
    }
    std::optional<OutputLock> lock;  // on the root
    on_root(world, [&] {
        lock.emplace(output, OutputKind::replaced, stop_requested);
        remove_stale_temporaries(output.has_parent_path() ? output.parent_path() : ".");  // cells that killed runs were writing
    });
    const std::unique_ptr<Evaluator> evaluator = open_evaluator(world, job);
    evaluator->evaluate(world, paths_of(job.data), job.langs, [&](Cell& cell) {
        const StageScope scope("write");
        const Activity activity("writing the cell");
        Json facts = run_facts(world, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                               job.evaluate.device);
        facts.update(evaluator->exactness());
        lock->require_held();
        write_cell(output, cell, facts);
        std::printf("%s", evaluator->notes().c_str());
        print_accuracy(cell);
        tell_benchmark(*evaluator, job, output, cell);
        std::printf("cell: %s\n", output.c_str());
    });
    return ExitCode::done;
}

std::string evaluation_report(const Communicator& world, const EvaluateJob& job) {
    bool labels = false;
    together(world, [&] {
        check_job(job);
        labels = labels_rows(job);
    });
    if (labels) return labelling_report(world, job);
    const std::unique_ptr<Evaluator> evaluator = open_evaluator(world, job);
    return evaluator->report(world, paths_of(job.data), job.langs) + evaluator->chat_template().describe();
}

}  // namespace xlrm
