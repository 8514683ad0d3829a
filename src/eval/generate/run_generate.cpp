#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include "generate/generate_samples.hpp"
#include "generate/generation_report.hpp"
#include "generate/setup.hpp"
#include "generate/shared_progress.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/log.hpp"
#include "xlrm/core/output_lock.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/eval/evaluator.hpp"
#include "xlrm/eval/generate.hpp"
#include "xlrm/infer/exactness.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/language_detect.hpp"

namespace xlrm {
namespace {

using Clock = std::chrono::steady_clock;

std::filesystem::path record_of(const std::filesystem::path& output) { return output.string() + ".run.json"; }

// Finished texts of one rank on their way to its part of the output: few writes, and little lost by a kill.
class PartWriter {
public:
    PartWriter(const GenerationSetup& setup, std::uint64_t seed, SampleWriter& writer)
        : setup_(setup), seed_(seed), writer_(writer), last_(Clock::now()) {}

    void add(GeneratedSample&& made) {
        const EncodedPrompt& prompt = setup_.prompts.all[made.prompt];
        Sample sample;
        sample.prompt_key = {prompt.id, prompt.lang, prompt.occurrence};
        sample.prompt = prompt.content;
        sample.sample = made.sample;
        sample.seed = seed_;
        if (setup_.detects) sample.detected_lang = detect_language(made.text);
        sample.text = std::move(made.text);
        sample.tokens = std::move(made.tokens);
        sample.logprob = made.log_probability;
        sample.finish_reason = name_of(made.reason);
        samples_.push_back(std::move(sample));
    }
    void write_in_time() {
        if (samples_.size() >= 64 || Clock::now() - last_ > std::chrono::seconds(2)) write();
    }
    void write() {
        last_ = Clock::now();
        if (!samples_.empty()) writer_.add(samples_);
        samples_.clear();
    }

private:
    const GenerationSetup& setup_;
    const std::uint64_t seed_;
    SampleWriter& writer_;
    std::vector<Sample> samples_;
    Clock::time_point last_;
};

// This rank's prompts with the samples that no part holds, and their places in the setup.
struct OpenPrompts {
    std::vector<GenerationPrompt> prompts;
    std::vector<std::size_t> places;
};

OpenPrompts open_prompts(const GenerationSetup& setup, const GenerateJob& job, const SampleWriter& writer,
                         const Communicator& world) {
    OpenPrompts open;
    int next = 0;
    for (std::size_t i = 0; i < setup.prompts.all.size(); ++i) {
        const EncodedPrompt& prompt = setup.prompts.all[i];
        GenerationPrompt wanted{prompt.id, prompt.occurrence, {}, {}, setup.new_tokens(i)};
        for (std::int32_t sample = 0; sample < job.samples; ++sample)
            if (!writer.has(i, sample)) wanted.samples.push_back(sample);
        if (wanted.samples.empty() || next++ % world.size() != world.rank()) continue;
        wanted.tokens = prompt.tokens;
        open.prompts.push_back(std::move(wanted));
        open.places.push_back(i);
    }
    return open;
}

// A run that is at work on an output, from the loaded model on.
class GenerationRun {
public:
    GenerationRun(const Communicator& world, const GenerateJob& job, const MakePrompts& make_prompts,
                  const FinishSamples& finish_samples, const GenerationCaller& caller)
        : world_(world), job_(job), make_prompts_(make_prompts), finish_samples_(finish_samples), caller_(caller) {}

    JobEnd run() {
        together(world_, [&] {
            const Activity activity("reading the prompts");
            setup_ = make_generation_setup(job_, make_prompts_);
        });
        on_root(world_, [&] {
            if (caller_.embedded) return;
            lock_.emplace(setup_.output, OutputKind::replaced, stop_requested);
            log_root(LogLevel::info, setup_.notes);
        });
        load();
        std::optional<SampleWriter> writer;
        together(world_, [&] {
            writer.emplace(setup_.output, sha256(content_.dump()), setup_.keys(), static_cast<std::int32_t>(job_.samples),
                           world_.rank());
        });
        const std::int64_t all = static_cast<std::int64_t>(setup_.prompts.all.size()) * job_.samples, before = writer->count();
        if (before > 0)
            log_root(LogLevel::info, "going on: " + std::to_string(before) + " of " + std::to_string(all) + " texts are there");
        const JobEnd end = generate(*writer, all);
        on_root(world_, [&] {
            if (end.code == ExitCode::done) finish(*writer);
        });
        return end;
    }

private:
    void load() {
        together(world_, [&] {
            const Activity activity("loading the model");
            planned_ = plan_memory(setup_, job_, world_.local_size(), world_.size());
            setup_.options.cache_bytes = planned_.cache;
            const bool bf16 = job_.dtype == "bf16";
            model_.emplace(
                load_model(setup_.folder, HeadKind::lm, bf16 ? at::kBFloat16 : at::kFloat, false, kOnlyLabel, job_.device));
            decoder_.emplace(model_->config, model_->parameters);
            decoder_->pack_weights();
            content_ = content_of(job_, setup_, model_->sha256);
        });
        if (job_.exact == "no") return;
        inexact_ = find_inexactness(world_, *decoder_, setup_.options.token_budget);
        if (inexact_->empty()) return;
        const std::string why = "texts may depend on what is generated beside them here: " + *inexact_;
        if (job_.exact == "yes") fail("--exact yes: " + why + "; run with --exact auto");
        log_root(LogLevel::warning, why);
    }

    JobEnd generate(SampleWriter& writer, std::int64_t all) {
        const std::int64_t before = writer.count();
        SharedProgress progress(world_, all, before, caller_.stop, caller_.embedded);
        GenerationFigures figures;
        const Problem problem = attempt([&] {
            const OpenPrompts open = open_prompts(setup_, job_, writer, world_);
            PartWriter part(setup_, setup_.options.seed, writer);
            GenerationCalls calls;
            calls.take = [&](GeneratedSample&& sample) {
                sample.prompt = open.places[sample.prompt];
                part.add(std::move(sample));
            };
            calls.go_on = [&](const GenerationFigures& done) {
                figures = done;
                part.write_in_time();
                return progress.go_on(done.texts, done.tokens);
            };
            figures = generate_texts(*decoder_, *setup_.tokenizer, open.prompts, setup_.options, calls);
            part.write();
        });
        progress.end(figures.texts, figures.tokens, static_cast<bool>(problem));
        agree_or_throw(world_, problem, Wait::sleeping);
        std::int64_t sums[] = {figures.texts, figures.tokens};
        world_.sum(std::span<std::int64_t>(sums));
        record_ = run_facts(world_, progress.seconds(), job_.device);
        record_["texts"] = sums[0];
        record_["tokens"] = sums[1];
        record_["tokens_per_s"] = static_cast<double>(sums[1]) / progress.seconds();
        record_["cache_bytes"] = world_.max(figures.most_cache_bytes);
        record_["peak_memory_bytes"] = world_.max(peak_resident_bytes());
        record_["planned_memory_bytes"] = {{"program", world_.max(planned_.program)},
                                           {"weights", planned_.weights},
                                           {"cache", planned_.cache},
                                           {"pass", planned_.pass},
                                           {"total", world_.max(planned_.total())}};
        if (before + sums[0] == all) return ExitCode::done;
        return {ExitCode::stopped, "stopped by a signal after " + std::to_string(before + sums[0]) + " of " +
                                       std::to_string(all) + " texts; they are kept in " + setup_.output.string() +
                                       ".part*, and the same command goes on"};
    }

    void finish(SampleWriter& writer) {
        if (lock_) lock_->require_held();
        writer.finish();
        Json facts = {{"samples_of", content_}};
        facts["exact"] = inexact_ ? Json(inexact_->empty()) : Json();
        if (inexact_ && !inexact_->empty()) facts["inexact"] = *inexact_;
        facts.update(record_);
        write_file_atomic(record_of(setup_.output), facts.dump(1) + "\n");
        finish_samples_(setup_, facts);
    }

    const Communicator& world_;
    const GenerateJob& job_;
    const MakePrompts& make_prompts_;
    const FinishSamples& finish_samples_;
    const GenerationCaller& caller_;
    GenerationSetup setup_;
    std::optional<OutputLock> lock_;  // on the root
    GenerationMemory planned_;
    std::optional<LoadedModel> model_;
    std::optional<Decoder> decoder_;
    Json content_;
    std::optional<std::string> inexact_;  // what find_inexactness said
    Json record_;                         // facts of this run
};

}  // namespace

JobEnd generate_samples(const Communicator& world, const GenerateJob& job, const MakePrompts& make_prompts,
                        const FinishSamples& finish_samples, const GenerationCaller& caller) {
    return GenerationRun(world, job, make_prompts, finish_samples, caller).run();
}

JobEnd run_generate(const Communicator& world, const GenerateJob& job) {
    return generate_samples(world, job, {}, [](const GenerationSetup& setup, const Json&) {
        std::fputs(setup.notes.c_str(), stdout);
        std::fputs(samples_summary(setup.output).c_str(), stdout);
        std::printf("samples: %s\n", setup.output.c_str());
    });
}

}  // namespace xlrm
