#include "generate/generation_report.hpp"

#include "generate/generate_samples.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/progress.hpp"
#include "xlrm/infer/cache_plan.hpp"
#include "xlrm/infer/generation_speed.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/text/language_detect.hpp"

namespace xlrm {
namespace {

//! Percent of prose texts in which the detector is wrong, and in which it is unsure (jobs/language_detection.md).
constexpr double kDetectorWrong = 0.4, kDetectorUnsure = 2.6;
//! Share of a product's speed that generating reaches, about.
constexpr double kUsual = 0.5;

at::ScalarType compute_type(const GenerateJob& job) { return job.dtype == "bf16" ? at::kBFloat16 : at::kFloat; }

// Of the rank that has the most to do, prompts being dealt in turn.
struct RankWork {
    std::int64_t prompt_tokens = 0, texts = 0;
    std::int64_t cache =
        0;  // most keys and values, where prompts come in as they are dealt, each for as long as its texts may be
};

RankWork work_of_rank(const GenerationSetup& setup, const GenerateJob& job, std::size_t rank, std::size_t ranks) {
    const CachePlan plan(setup.config, compute_type(job), setup.options.token_budget);
    const std::int64_t texts = setup.options.beams > 0 ? setup.options.beams : job.samples;
    const std::int64_t in_pass = std::max(texts, setup.options.token_budget / 2);
    const auto open = static_cast<std::size_t>((in_pass + texts - 1) / texts);  // prompts whose texts are in a pass
    RankWork rank_work;
    std::vector<std::int64_t> bytes;
    std::int64_t sum = 0;
    for (std::size_t i = rank; i < setup.prompts.all.size(); i += ranks) {
        const auto prompt = static_cast<std::int64_t>(setup.prompts.all[i].tokens.size());
        rank_work.prompt_tokens += prompt;
        rank_work.texts += texts;
        bytes.push_back(plan.bytes(prompt, prompt + setup.new_tokens(i) - 1, std::min(texts, in_pass), false));
        sum += bytes.back();
        if (bytes.size() > open) sum -= bytes[bytes.size() - 1 - open];
        rank_work.cache = std::max(rank_work.cache, sum);
    }
    return rank_work;
}

RankWork largest_work(const GenerationSetup& setup, const GenerateJob& job, int ranks) {
    RankWork largest;
    for (std::size_t rank = 0; rank < static_cast<std::size_t>(ranks); ++rank) {
        const RankWork rank_work = work_of_rank(setup, job, rank, static_cast<std::size_t>(ranks));
        largest.prompt_tokens = std::max(largest.prompt_tokens, rank_work.prompt_tokens);
        largest.texts = std::max(largest.texts, rank_work.texts);
        largest.cache = std::max(largest.cache, rank_work.cache);
    }
    return largest;
}

}  // namespace

GenerationMemory plan_memory(const GenerationSetup& setup, const GenerateJob& job, int local_ranks, int ranks) {
    const RankWork most = largest_work(setup, job, ranks);
    GenerationMemory memory;
    memory.program = resident_bytes();
    memory.weights = weight_bytes_of(setup.config, compute_type(job));
    memory.pass = pass_bytes_of(setup.config, compute_type(job), setup.options, most.prompt_tokens, most.texts);
    if (job.cache_memory > 0) {
        memory.cache = job.cache_memory << 20;
        return memory;
    }
    memory.cache = most.cache;
    const std::int64_t available = available_bytes();
    if (available <= 0) return memory;  // the system does not tell
    const std::int64_t left = available / local_ranks - memory.weights - memory.pass;
    if (left <= 0)
        fail("the model needs " + format_bytes(static_cast<double>(memory.weights + memory.pass)) + " on each of " +
             std::to_string(local_ranks) + " rank(s) of this machine, where " + format_bytes(static_cast<double>(available)) +
             " are free in all; start fewer ranks, or lower --token-budget");
    memory.cache = std::min(memory.cache, left / 2);
    return memory;
}

namespace {

std::string line(const char* name, const std::string& value) {
    char text[64];
    std::snprintf(text, sizeof text, "%-22s ", name);
    return text + value + "\n";
}

std::string prompts_table(const GenerationSetup& setup) {
    struct Language {
        std::vector<std::int64_t> tokens;
        std::int64_t too_long = 0;
    };
    std::map<std::string, Language> languages;
    for (const EncodedPrompt& prompt : setup.prompts.all)
        languages[prompt.lang].tokens.push_back(static_cast<std::int64_t>(prompt.tokens.size()));
    for (const std::string& lang : setup.too_long) ++languages[lang].too_long;
    std::string out = "language  prompts  too long   tokens 5 %   50 %   95 %    max\n";
    for (auto& [lang, found] : languages) {
        std::ranges::sort(found.tokens);
        const auto at = [&](double share) {
            if (found.tokens.empty()) return 0L;
            return static_cast<long>(
                found.tokens[static_cast<std::size_t>(share * static_cast<double>(found.tokens.size() - 1) + 0.5)]);
        };
        char text[160];
        std::snprintf(text, sizeof text, "%-9s %7zu  %8ld   %10ld %6ld %6ld %6ld\n", lang.c_str(), found.tokens.size(),
                      static_cast<long>(found.too_long), at(0.05), at(0.5), at(0.95), at(1.0));
        out += text;
    }
    return out;
}

struct Work {
    double prompt_tokens = 0.0, new_tokens = 0.0, rows = 0.0;
};

Work work_of(const GenerationSetup& setup, const GenerateJob& job) {
    Work work;
    for (std::size_t i = 0; i < setup.prompts.all.size(); ++i) {
        const auto made = static_cast<double>(setup.new_tokens(i));
        work.prompt_tokens += static_cast<double>(setup.prompts.all[i].tokens.size());
        work.new_tokens += made * static_cast<double>(job.samples);
        work.rows += made * static_cast<double>(setup.options.beams > 0 ? setup.options.beams : job.samples);
    }
    return work;
}

}  // namespace

std::string generation_report(const Communicator& world, const GenerateJob& job) { return samples_plan(world, job, {}); }

std::string samples_plan(const Communicator& world, const GenerateJob& job, const MakePrompts& make_prompts) {
    GenerationSetup setup;
    GenerationMemory memory;
    double speed = 0.0;
    together(world, [&] {
        setup = make_generation_setup(job, make_prompts);
        check_model(setup.folder, HeadKind::lm);
        memory = plan_memory(setup, job, world.local_size(), world.size());
        speed = product_speed(setup.config, compute_type(job));
    });
    const double all_speed = world.min(speed) * static_cast<double>(world.size());
    const Work work = work_of(setup, job);
    const auto body = static_cast<double>(setup.config.body_parameters());
    const auto head = static_cast<double>(setup.config.hidden * setup.config.vocab_size);
    const double flops = 2.0 * body * (work.prompt_tokens + work.rows) + 2.0 * head * work.rows;
    const auto bytes = [](std::int64_t count) { return format_bytes(static_cast<double>(count)); };
    char counts[160];
    std::string out = prompts_table(setup) + setup.notes + "\n";
    std::snprintf(counts, sizeof counts, "%.0f of prompts, at most %.0f new ones", work.prompt_tokens, work.new_tokens);
    out += line("tokens", counts);
    std::snprintf(counts, sizeof counts,
                  "at most about %s on %d rank(s) (a guess: %.0f %% of the %.0f GFLOP/s that products just reached)",
                  format_duration(flops / (kUsual * all_speed)).c_str(), world.size(), 100.0 * kUsual, 1e-9 * all_speed);
    out += line("time", counts);
    out += line("memory a rank", "at most about " + bytes(memory.total()) + ": " + bytes(memory.weights) + " weights, " +
                                     bytes(memory.cache) + " keys and values, " + bytes(memory.pass) + " computation, " +
                                     bytes(memory.program) + " program");
    return out + line("output", setup.output.string());
}

std::string samples_summary(const std::filesystem::path& samples) {
    struct Language {
        std::int64_t texts = 0, tokens = 0, stopped = 0, by_length = 0, other = 0, unsure = 0;
    };
    std::map<std::string, Language> languages;
    bool detected = false;
    for_each_sample(samples, [&](std::int64_t, Sample&& sample) {
        Language& found = languages[sample.prompt_key.lang];
        ++found.texts;
        found.tokens += static_cast<std::int64_t>(sample.tokens.size());
        (sample.finish_reason == "length" ? found.by_length : found.stopped) += 1;
        if (sample.detected_lang.empty()) return;
        detected = true;
        if (sample.detected_lang == kUnsureLanguage)
            ++found.unsure;
        else if (sample.detected_lang != sample.prompt_key.lang)
            ++found.other;
    });
    std::string out = "language    texts  mean tokens  by length";
    out += detected ? "  other language  unsure\n" : "\n";
    for (const auto& [lang, found] : languages) {
        const auto share = [&](std::int64_t count) {
            return 100.0 * static_cast<double>(count) / static_cast<double>(found.texts);
        };
        char text[160];
        std::snprintf(text, sizeof text, "%-9s %7ld  %11.1f  %7.1f %%", lang.c_str(), static_cast<long>(found.texts),
                      static_cast<double>(found.tokens) / static_cast<double>(found.texts), share(found.by_length));
        out += text;
        std::snprintf(text, sizeof text, "  %12.1f %%  %4.1f %%", share(found.other), share(found.unsure));
        out += detected ? std::string(text) + "\n" : "\n";
    }
    if (detected) {
        char text[160];
        std::snprintf(text, sizeof text,
                      "(the detector is wrong in %.1f %% of prose, unsure in %.1f %%: jobs/language_detection.md)\n",
                      kDetectorWrong, kDetectorUnsure);
        out += text;
    }
    return out;
}

}  // namespace xlrm
