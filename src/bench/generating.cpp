#include <algorithm>

#include "cases.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json_line.hpp"
#include "xlrm/core/profile.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/infer/generation.hpp"

namespace xlrm {
namespace {

constexpr std::int64_t kPrompts = 64, kPromptTokens = 32, kNewTokens = 64;

// Ids are all that is measured: the text of a token is empty.
class NoText final : public Tokenizer {
public:
    std::vector<std::int32_t> encode(std::string_view, bool) const override { return {}; }
    std::string decode(const std::vector<std::int32_t>&) const override { return {}; }
    std::int64_t vocab_size() const override { return 0; }
    std::optional<std::int32_t> id_of(std::string_view) const override { return {}; }
};

struct Work {
    std::vector<GenerationPrompt> prompts;
    double prompt_tokens = 0.0, new_tokens = 0.0;

    void add(std::vector<std::int32_t> tokens, std::int64_t new_tokens_each, std::int64_t samples) {
        GenerationPrompt prompt{std::to_string(prompts.size()), 0, std::move(tokens), {}, new_tokens_each};
        for (std::int32_t i = 0; i < samples; ++i) prompt.samples.push_back(i);
        prompt_tokens += static_cast<double>(prompt.tokens.size());
        new_tokens += static_cast<double>(new_tokens_each * samples);
        prompts.push_back(std::move(prompt));
    }
};

// Prompts of random tokens; `varied`: texts of 16 to 112 tokens in place of 64.
Work random_work(const Bench& bench, std::int64_t samples, bool varied) {
    Random random(static_cast<std::uint64_t>(bench.options.seed));
    Work work;
    for (std::int64_t i = 0; i < kPrompts; ++i) {
        std::vector<std::int32_t> tokens;
        for (std::int64_t t = 0; t < kPromptTokens; ++t)
            tokens.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(bench.config.vocab_size))));
        const std::int64_t length = varied ? 16 + static_cast<std::int64_t>(random.below(97)) : kNewTokens;
        work.add(std::move(tokens), length, samples);
    }
    return work;
}

// {"ids": […], "new": N} a line.
Work work_of_file(const Bench& bench) {
    Work work;
    for_each_line(bench.options.generate_data, [&](std::int64_t number, std::string_view text) {
        const std::string where = bench.options.generate_data + ":" + std::to_string(number);
        const Json line = parse_json(text, where);
        require(line.is_object() && line.contains("ids") && line.contains("new"),
                where + ": {\"ids\": […], \"new\": N} is expected");
        auto ids = line.at("ids").get<std::vector<std::int32_t>>();
        const auto outside = [&](std::int32_t id) { return id < 0 || id >= bench.config.vocab_size; };
        require(!ids.empty() && std::ranges::none_of(ids, outside), where + ": 'ids' must be ids of the model, one or more");
        work.add(std::move(ids), line.at("new").get<std::int64_t>(), bench.options.generate_samples);
    });
    require(!work.prompts.empty(), bench.options.generate_data + ": it has no prompts");
    return work;
}

class GeneratingRun {
public:
    GeneratingRun(const Bench& bench, const Decoder& decoder, const Work& work, bool greedy) : bench_(bench), decoder_(decoder) {
        options_.sampling.greedy = greedy;
        options_.stop = {.max_new_tokens = kNewTokens, .ignore_eos = true};
        options_.token_budget = std::min<std::int64_t>(bench.options.token_budget, 1024);
        for (std::size_t i = 0; i < work.prompts.size(); ++i)
            if (static_cast<int>(i) % bench.world.size() == bench.world.rank()) prompts_.push_back(work.prompts[i]);
        first_tokens_ = prompts_;
        for (GenerationPrompt& prompt : first_tokens_) prompt.max_new_tokens = 1;
    }
    //! Collective. Seconds of all texts.
    double run() { return seconds(prompts_); }
    //! Collective. Seconds up to each text's first token.
    double run_first() { return seconds(first_tokens_); }
    double cache_bytes() const { return static_cast<double>(figures_.most_cache_bytes); }
    const std::vector<GeneratedSample>& texts() const { return texts_; }

private:
    double seconds(const std::vector<GenerationPrompt>& prompts) {
        texts_.clear();
        GenerationCalls calls;
        calls.take = [&](GeneratedSample&& sample) { texts_.push_back(std::move(sample)); };
        return timed(bench_.world, [&] { figures_ = generate_texts(decoder_, NoText(), prompts, options_, calls); });
    }

    const Bench& bench_;
    const Decoder& decoder_;
    GenerationOptions options_;
    std::vector<GenerationPrompt> prompts_, first_tokens_;
    std::vector<GeneratedSample> texts_;
    GenerationFigures figures_;
};

// {"prompt", "sample", "ids"} a line, in the order of the prompts.
void write_texts(const Bench& bench, std::vector<GeneratedSample> texts) {
    if (bench.options.generate_output.empty()) return;
    require(bench.world.size() == 1, "--generate-output is written by one rank", ExitCode::usage);
    std::ranges::sort(texts, [](const GeneratedSample& a, const GeneratedSample& b) {
        return a.prompt != b.prompt ? a.prompt < b.prompt : a.sample < b.sample;
    });
    std::string out;
    for (const GeneratedSample& text : texts)
        out += dump_line({{"prompt", text.prompt}, {"sample", text.sample}, {"ids", text.tokens}}) + "\n";
    write_file_atomic(bench.options.generate_output, out);
}

void measure_generating(Bench& bench, const std::string& name, const std::string& dtype, const Work& work, bool greedy) {
    const Roof top = roof(bench, dtype);
    const bool fresh_peak = reset_peak_memory();
    const BenchModel model = generating_model(bench, scalar_of(dtype));
    Decoder decoder(model.config, model.parameters);
    decoder.pack_weights();
    GeneratingRun generating(bench, decoder, work, greedy);
    const auto body = static_cast<double>(model.config.body_parameters());
    const auto head = static_cast<double>(model.config.hidden * model.config.vocab_size);
    const double samples = work.new_tokens > 0 ? static_cast<double>(work.prompts.front().samples.size()) : 1.0;
    const double firsts = static_cast<double>(work.prompts.size()) * samples;  // texts
    const double decoded = work.new_tokens - firsts;
    BenchRow row{"generate", name, dtype};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        const double first = generating.run_first(), all = generating.run();
        if (!bench.counts(i)) continue;
        const double flops =
            2.0 * body * (work.prompt_tokens + decoded) + 2.0 * head * (static_cast<double>(work.prompts.size()) + decoded);
        row.figure("new", "tokens/s").samples.push_back(work.new_tokens / all);
        row.figure("prompts", "tokens/s").samples.push_back(work.prompt_tokens / first);
        row.figure("decode", "tokens/s").samples.push_back(decoded / std::max(1e-9, all - first));
        row.figure("decode, of roof", "%")
            .samples.push_back(100.0 * 2.0 * (body + head) * decoded / std::max(1e-9, all - first) / top.best);
        row.figure("model speed", "GFLOP/s").samples.push_back(1e-9 * flops / all);
        add_roof_shares(row, top, flops / all);
    }
    row.figure("keys and values", "MiB").samples.push_back(bench.world.max(generating.cache_bytes()) / 1048576.0);
    row.figure(fresh_peak ? "peak memory" : "peak of process", "MiB")
        .samples.push_back(bench.world.max(static_cast<double>(peak_resident_bytes())) / 1048576.0);
    together(bench.world, [&] { write_texts(bench, generating.texts()); });
    bench.rows.push_back(row);
}

}  // namespace

void add_generating(const Bench& bench, BenchCases& cases) {
    struct Case {
        std::string name;
        Work work;
        bool greedy;
    };
    std::vector<Case> all;
    const bool sampled = bench.options.generate_samples > 1;
    if (!bench.options.generate_data.empty())
        all.push_back({"data", work_of_file(bench), !sampled});
    else if (sampled)
        all.push_back({std::to_string(bench.options.generate_samples) + " samples, varied",
                       random_work(bench, bench.options.generate_samples, true), false});
    else
        all = {{"64 x 32 -> 64, greedy", random_work(bench, 1, false), true},
               {"4 samples, varied", random_work(bench, 4, true), false}};
    for (const std::string& dtype : dtypes_of(bench.options)) {
        for (const Case& one : all) {
            const auto body = static_cast<double>(bench.config.body_parameters());
            const auto head = static_cast<double>(bench.config.hidden * bench.config.vocab_size);
            const double flops = 2.0 * static_cast<double>(bench.runs()) *
                                 ((body + head) * one.work.new_tokens + 2.0 * body * one.work.prompt_tokens);
            cases.push_back({"generate", one.name, dtype, flops, 0.0,
                             [=](Bench& b) { measure_generating(b, one.name, dtype, one.work, one.greedy); }});
        }
    }
}

}  // namespace xlrm
