#include "generate/setup.hpp"

#include <algorithm>

#include "generate/stop_tokens.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/eval/evaluation_template.hpp"
#include "xlrm/text/language_detect.hpp"

namespace xlrm {
namespace {

//! Raised when the same options give other texts.
constexpr int kNumerics = 1;

void check(const GenerateJob& job) {
    const auto require_usage = [](bool ok, const char* message) { require(ok, message, ExitCode::usage); };
    require_usage(!job.model.empty(), "--model is not given; name the model folder that generates");
    require_usage(!job.prompts.empty(),
                  "--prompts is not given; name the rows whose prompts are taken (.jsonl, .jsonl.gz, .parquet)");
    require_usage(job.samples > 0 && job.samples <= 1000000, "--samples must be 1 or more (and at most a million)");
    require_usage(!job.sampling.greedy || job.samples == 1, "--greedy gives the same text each time, so --samples must be 1");
    require_usage(job.beams == 0 || job.samples <= job.beams, "--samples must not be more than --beams");
    require_usage(job.max_length >= 0, "--max-length must not be negative");
    require_usage(job.cache_memory >= 0, "--cache-memory must not be negative");
    require_usage(job.seed >= 0, "--seed must not be negative");
    require_usage(job.beams == 0 || 2 * job.beams <= job.token_budget, "--token-budget must be at least twice --beams");
    require_usage(job.part.empty() || !job.split.empty(), "--part names a part of no --split");
    require_usage(job.detect != "yes" || can_detect_language(),
                  "--detect yes: this xlrm was built without the language detector; build it with CLD2, or give --detect no");
}

std::filesystem::path output_of(const GenerateJob& job) {
    if (!job.output.empty()) return job.output;
    const std::string model = std::filesystem::path(job.model).lexically_normal().filename().string();
    const std::string rows = std::filesystem::path(job.prompts.front()).filename().string();
    return std::filesystem::path("xlrm-out") / (model + "." + rows.substr(0, rows.find('.')) + ".samples.jsonl");
}

GenerationOptions options_of(const GenerateJob& job, const GenerationSetup& setup) {
    GenerationOptions options;
    options.sampling = job.sampling;
    options.seed = static_cast<std::uint64_t>(job.seed);
    options.beams = job.beams;
    options.length_penalty = job.length_penalty;
    options.early_stopping = parse_early_stopping(job.early_stopping);
    options.token_budget = job.token_budget;
    options.stop.max_new_tokens = job.max_new_tokens;
    options.stop.ignore_eos = job.ignore_eos;
    for (const std::string& text : job.stop) options.stop.stop_strings.push_back(unescaped(text));
    options.stop.stop_ids = job.stop_ids.empty() ? end_tokens(setup.folder, setup.config, *setup.tokenizer, *setup.chat_template)
                                                 : parse_stop_ids(job.stop_ids, setup.config.vocab_size);
    require_valid(options);
    return options;
}

PrepareOptions rows_of(const GenerateJob& job) {
    PrepareOptions rows;
    rows.inputs = {job.prompts.begin(), job.prompts.end()};
    rows.langs = job.langs;
    rows.forms = job.forms;
    rows.split = job.split;
    rows.part = job.part;
    rows.default_lang = job.default_lang;
    return rows;
}

// Prompts without a place for a new token leave.
void keep_what_fits(const GenerateJob& job, GenerationSetup& setup) {
    std::vector<EncodedPrompt> kept;
    for (EncodedPrompt& prompt : setup.prompts.all) {
        const auto length = static_cast<std::int64_t>(prompt.tokens.size());
        if (length >= setup.context) {
            if (job.over_length == "error")
                fail("prompt '" + prompt.id + "' (" + prompt.lang + ") has " + std::to_string(length) +
                     " tokens, which leaves none of " + std::to_string(setup.context) +
                     " for a text; shorten it, raise --max-length, or give --over-length drop");
            setup.too_long.push_back(prompt.lang);
            continue;
        }
        if (std::ranges::max(prompt.tokens) >= setup.config.vocab_size)
            fail("prompt '" + prompt.id + "' (" + prompt.lang + ") has a token that the model of " + setup.folder.string() +
                 " does not have");
        setup.shortened += length + job.max_new_tokens > setup.context ? 1 : 0;
        kept.push_back(std::move(prompt));
    }
    setup.prompts.all = std::move(kept);
    require(!setup.prompts.all.empty(), "every prompt is too long for the model (" + std::to_string(setup.context) +
                                            " tokens with the text), so nothing is left to be generated");
}

std::string notes_of(const GenerateJob& job, const GenerationSetup& setup) {
    std::string notes = setup.chat_template->describe();
    if (!notes.empty() && notes.back() != '\n') notes += '\n';
    if (setup.options.stop.ignore_eos) {
        notes += "ends: by length alone (--ignore-eos)\n";
    } else {
        notes += "ends:";
        for (const std::int32_t id : setup.options.stop.stop_ids)
            notes += " " + std::to_string(id) + " " +
                     (setup.tokenizer->has(id)
                          ? Json(setup.tokenizer->decode({id})).dump(-1, ' ', false, Json::error_handler_t::replace)
                          : "(no token)");
        notes += setup.options.stop.stop_ids.empty() ? " by length alone: the model names no end token (--stop-ids)\n" : "\n";
    }
    if (!setup.too_long.empty())
        notes += "too long: " + std::to_string(setup.too_long.size()) + " prompts leave no token for a text, and are left out\n";
    if (setup.shortened > 0)
        notes += "shortened: " + std::to_string(setup.shortened) + " prompts leave fewer than " +
                 std::to_string(job.max_new_tokens) + " tokens for a text\n";
    if (setup.prompts.repeated > 0)
        notes += "repeated: " + std::to_string(setup.prompts.repeated) +
                 " prompts have the id of an earlier one; `occurrence` tells them apart\n";
    return notes;
}

}  // namespace

std::vector<PromptKey> GenerationSetup::keys() const {
    std::vector<PromptKey> keys;
    for (const EncodedPrompt& prompt : prompts.all) keys.push_back({prompt.id, prompt.lang, prompt.occurrence});
    return keys;
}

std::int64_t GenerationSetup::new_tokens(std::size_t index) const {
    return std::min(options.stop.max_new_tokens, context - static_cast<std::int64_t>(prompts.all[index].tokens.size()));
}

GenerationSetup make_generation_setup(const GenerateJob& job, const MakePrompts& make_prompts) {
    check(job);
    GenerationSetup setup;
    setup.folder = job.model;
    setup.output = output_of(job);
    setup.config = read_model_config(setup.folder / "config.json");
    setup.tokenizer = load_tokenizer(setup.folder);
    require_tokenizer_fits(*setup.tokenizer, setup.config.vocab_size, setup.folder);
    const std::filesystem::path extra = setup.folder / "xlrm.json";
    EvaluateOptions rendering;
    rendering.chat_template = job.chat_template;
    rendering.template_date = job.template_date;
    setup.chat_template =
        evaluation_template(setup.folder, rendering, std::filesystem::exists(extra) ? read_json(extra) : Json());
    setup.options = options_of(job, setup);
    const std::int64_t positions = setup.config.max_positions;
    setup.context = job.max_length > 0 && (positions <= 0 || job.max_length < positions) ? job.max_length : positions;
    setup.detects = job.detect == "yes" || (job.detect == "auto" && can_detect_language());
    setup.prompts = make_prompts ? make_prompts(*setup.tokenizer, *setup.chat_template)
                                 : read_prompts(rows_of(job), *setup.tokenizer, *setup.chat_template);
    keep_what_fits(job, setup);
    setup.notes = notes_of(job, setup);
    return setup;
}

Json content_of(const GenerateJob& job, const GenerationSetup& setup, const std::string& model_sha256) {
    Sha256 prompts;
    for (const EncodedPrompt& prompt : setup.prompts.all) {
        const Json line = {prompt.id, prompt.lang, prompt.occurrence, prompt.content, prompt.tokens, setup.context};
        prompts.add(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    }
    const GenerationOptions& o = setup.options;
    Json content = {{"model_sha256", model_sha256},
                    {"tokenizer_sha256", setup.tokenizer->sha256},
                    {"template", setup.chat_template->name},
                    {"template_sha256", setup.chat_template->sha256},
                    {"template_date", setup.chat_template->date},
                    {"prompts_sha256", prompts.hex()},
                    {"prompts", setup.prompts.all.size()},
                    {"samples", job.samples},
                    {"max_new_tokens", o.stop.max_new_tokens},
                    {"max_length", setup.context},
                    {"stop", o.stop.stop_strings},
                    {"dtype", job.dtype},
                    {"detect", setup.detects},
                    {"repetition_penalty", o.sampling.repetition_penalty},
                    {"numerics", kNumerics}};
    content["stop_ids"] = o.stop.ignore_eos ? Json() : Json(o.stop.stop_ids);
    if (o.beams > 0) {
        content["beams"] = o.beams;
        content["length_penalty"] = o.length_penalty;
        content["early_stopping"] = job.early_stopping;
    } else if (o.sampling.greedy) {
        content["greedy"] = true;
    } else {
        content["temperature"] = o.sampling.temperature;
        content["top_k"] = o.sampling.top_k;
        content["top_p"] = o.sampling.top_p;
        content["min_p"] = o.sampling.min_p;
    }
    content["seed"] = o.seed;
    return content;
}

}  // namespace xlrm
