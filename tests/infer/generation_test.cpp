#include "xlrm/infer/generation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "model/golden.hpp"
#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/infer/cache_plan.hpp"
#include "xlrm/infer/generator.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/model/exactness.hpp"
#include "xlrm/model/lm_head.hpp"
#include "xlrm/model/model_folder.hpp"

namespace xlrm {
namespace {

using xlrm_test::fixture;
using Tokens = std::vector<std::int32_t>;

const char* const kFamilies[] = {"llama", "mistral", "qwen2", "qwen3", "gemma2"};

struct Model {
    explicit Model(const std::string& family, at::ScalarType dtype = at::kFloat)
        : loaded(load_model(fixture(family), HeadKind::lm, dtype)), decoder(loaded.config, loaded.parameters) {}
    bool exact() const { return check_exactness(decoder, 256).problem.empty(); }
    LoadedModel loaded;
    Decoder decoder;
};

const Tokenizer& tokenizer() {
    static const std::unique_ptr<Tokenizer> bpe = load_bpe(test::fixture("text/bpe_whole.json"));
    return *bpe;
}

//! `count` prompts of unequal lengths, each with `samples` texts.
std::vector<GenerationPrompt> prompts_for(const Model& model, std::size_t count, std::int32_t samples) {
    std::vector<GenerationPrompt> prompts;
    Random random(3);
    const auto vocabulary = static_cast<std::uint64_t>(model.loaded.config.vocab_size);
    for (std::size_t i = 0; i < count; ++i) {
        GenerationPrompt prompt{"p" + std::to_string(i / 2), static_cast<std::int32_t>(i % 2)};
        for (std::size_t t = 0; t < 1 + 9 * i; ++t) prompt.tokens.push_back(static_cast<std::int32_t>(random.below(vocabulary)));
        for (std::int32_t s = 0; s < samples; ++s) prompt.samples.push_back(s);
        prompts.push_back(std::move(prompt));
    }
    return prompts;
}

GenerationOptions options_of(std::int64_t tokens, bool greedy = false) {
    GenerationOptions options;
    options.sampling.greedy = greedy;
    options.stop.max_new_tokens = tokens;
    options.seed = 7;
    return options;
}

using Key = std::pair<std::size_t, std::int32_t>;
struct Made {
    std::map<Key, GeneratedSample> texts;
    GenerationFigures figures;
};

Made make(const Model& model, const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options) {
    Made made;
    GenerationCalls calls;
    calls.take = [&](GeneratedSample&& sample) {
        const Key key{sample.prompt, sample.sample};
        EXPECT_TRUE(made.texts.emplace(key, std::move(sample)).second) << "a text came twice";
    };
    made.figures = generate_texts(model.decoder, tokenizer(), prompts, options, calls);
    return made;
}

void expect_same(const Made& a, const Made& b, const std::string& what) {
    ASSERT_EQ(a.texts.size(), b.texts.size()) << what;
    for (const auto& [key, text] : a.texts) {
        const GeneratedSample& other = b.texts.at(key);
        EXPECT_EQ(text.tokens, other.tokens) << what << ": prompt " << key.first << " sample " << key.second;
        EXPECT_EQ(text.log_probability, other.log_probability) << what << ": prompt " << key.first << " sample " << key.second;
        EXPECT_EQ(text.reason, other.reason) << what;
    }
}

TEST(Generation, GreedyTextsInCompanyAreThoseOfOneAlone) {
    for (const char* family : kFamilies) {
        const Model model(family);
        if (!model.exact()) GTEST_SKIP() << "bits depend on the batch on this machine";
        const std::vector<GenerationPrompt> prompts = prompts_for(model, 12, 1);
        for (const std::int64_t budget : {1, 7, 40, 512}) {
            GenerationOptions options = options_of(20, true);
            options.token_budget = budget;
            const Made made = make(model, prompts, options);
            ASSERT_EQ(made.texts.size(), prompts.size());
            for (std::size_t i = 0; i < prompts.size(); ++i)
                EXPECT_EQ(made.texts.at({i, 0}).tokens, generate_greedy(model.decoder, prompts[i].tokens, 20))
                    << family << ", prompt " << i << ", budget " << budget;
        }
    }
}

TEST(Generation, SampledTextsDependOnNothingBesideThem) {
    for (const char* family : {"llama", "mistral", "gemma2"}) {
        const Model model(family);
        if (!model.exact()) GTEST_SKIP() << "bits depend on the batch on this machine";
        GenerationOptions options = options_of(24);
        options.sampling.temperature = 0.8;
        options.sampling.top_k = 30;
        options.sampling.top_p = 0.95;
        options.sampling.repetition_penalty = 1.2;
        options.stop.stop_ids = {2, 5};
        std::vector<GenerationPrompt> prompts = prompts_for(model, 9, 8);
        const Made all = make(model, prompts, options);
        EXPECT_EQ(all.texts.size(), 72U);
        EXPECT_GT(std::ranges::count_if(all.texts, [](const auto& one) { return one.second.reason == FinishReason::stop; }), 5);
        EXPECT_GT(std::ranges::count_if(all.texts, [](const auto& one) { return one.second.reason == FinishReason::length; }), 5);
        EXPECT_NE(all.texts.at({8, 0}).tokens, all.texts.at({8, 1}).tokens);
        for (const std::int64_t budget : {2, 14, 64}) {
            options.token_budget = budget;
            expect_same(make(model, prompts, options), all, std::string(family) + ", budget " + std::to_string(budget));
        }
        options.token_budget = 512;
        for (GenerationPrompt& prompt : prompts) {  // alone, and one sample alone
            prompt.samples = {5};
            const Made alone = make(model, {prompt}, options);
            const auto index = static_cast<std::size_t>(&prompt - prompts.data());
            EXPECT_EQ(alone.texts.at({0, 5}).tokens, all.texts.at({index, 5}).tokens) << family << ", prompt " << index;
            EXPECT_EQ(alone.texts.at({0, 5}).log_probability, all.texts.at({index, 5}).log_probability);
        }
    }
}

TEST(Generation, PackedWeightsGiveTheSameTexts) {
    for (const char* family : kFamilies) {
        for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
            const Model plain(family, dtype);
            Model packed(family, dtype);
            packed.decoder.pack_weights();
            const std::vector<GenerationPrompt> prompts = prompts_for(plain, 5, 2);
            expect_same(make(packed, prompts, options_of(12)), make(plain, prompts, options_of(12)),
                        std::string(family) + " " + c10::toString(dtype));
        }
    }
}

TEST(Generation, TheSeedIdAndOccurrenceChooseTheNumbers) {
    const Model model("llama");
    std::vector<GenerationPrompt> prompts = prompts_for(model, 1, 1);
    prompts.front().tokens = {1, 5, 9};
    const auto text = [&](std::uint64_t seed, const std::string& id, std::int32_t occurrence) {
        GenerationOptions options = options_of(30);
        options.seed = seed;
        prompts.front().id = id;
        prompts.front().occurrence = occurrence;
        return make(model, prompts, options).texts.at({0, 0}).tokens;
    };
    const Tokens first = text(1, "a", 0);
    EXPECT_EQ(text(1, "a", 0), first);
    EXPECT_NE(text(2, "a", 0), first);
    EXPECT_NE(text(1, "b", 0), first);
    EXPECT_NE(text(1, "a", 1), first);
}

TEST(Generation, LogProbabilitiesAreThoseOfTheScorer) {
    for (const char* family : kFamilies) {
        const Model model(family);
        GenerationOptions options = options_of(15);
        options.sampling.temperature = 1.5;
        options.sampling.top_p = 0.9;
        const std::vector<GenerationPrompt> prompts = prompts_for(model, 5, 2);
        const Made made = make(model, prompts, options);
        ItemSet set;
        std::vector<std::int64_t> asked;
        std::vector<double> expected;
        for (const auto& [key, text] : made.texts) {
            const Tokens& prompt = prompts[key.first].tokens;
            const auto begin = static_cast<std::int64_t>(set.tokens.size());
            set.tokens.insert(set.tokens.end(), prompt.begin(), prompt.end());
            set.tokens.insert(set.tokens.end(), text.tokens.begin(), text.tokens.end());
            asked.push_back(static_cast<std::int64_t>(set.answers.size()));
            set.answers.push_back(
                {begin, static_cast<std::int32_t>(prompt.size() + text.tokens.size()), static_cast<std::int32_t>(prompt.size())});
            expected.push_back(text.log_probability);
        }
        ScoreOptions scoring;
        scoring.log_probs = true;
        const std::vector<double> scored = score_texts(model.decoder, set, asked, scoring).log_probs;
        for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(expected[i], scored[i], 2e-4) << family << " " << i;
    }
}

TEST(Generation, TheCacheStaysWithinItsMemory) {
    for (const char* family : {"llama", "mistral", "gemma2"}) {
        const Model model(family);
        if (!model.exact()) GTEST_SKIP() << "bits depend on the batch on this machine";
        const std::vector<GenerationPrompt> prompts = prompts_for(model, 12, 6);
        GenerationOptions options = options_of(90);
        const Made free = make(model, prompts, options);
        const CachePlan plan(model.loaded.config, at::kFloat, options.token_budget);
        std::int64_t least = 0;
        for (const GenerationPrompt& prompt : prompts) {
            const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
            least = std::max(least, plan.prompt_bytes(tokens) + plan.text_bytes(tokens, tokens + 89));
        }
        for (const std::int64_t factor : {1, 2, 5}) {
            options.cache_bytes = factor * least;
            const Made tight = make(model, prompts, options);
            EXPECT_LE(tight.figures.most_cache_bytes, options.cache_bytes) << family << " " << factor;
            EXPECT_LT(tight.figures.most_texts, free.figures.most_texts) << family << " " << factor;
            expect_same(tight, free, std::string(family) + ", memory for " + std::to_string(factor));
        }
        options.cache_bytes = least - 1;
        expect_error([&] { make(model, prompts, options); }, {"prompt 'p", "--cache-memory", "--max-new-tokens"});
    }
}

TEST(Generation, TheCachePlanIsWhatTextsOfOneLengthTake) {
    for (const char* family : {"llama", "mistral", "gemma2"}) {
        const Model model(family);
        const bool windows = std::ranges::any_of(model.loaded.config.windows, [](std::int64_t window) { return window > 0; });
        for (const std::int32_t samples : {1, 3}) {
            const std::vector<GenerationPrompt> prompts = prompts_for(model, 6, samples);
            GenerationOptions options = options_of(70);
            options.stop.ignore_eos = true;
            options.token_budget = 4096;  // all at once
            const CachePlan plan(model.loaded.config, at::kFloat, options.token_budget);
            std::int64_t planned = 0;
            for (const GenerationPrompt& prompt : prompts) {
                const auto tokens = static_cast<std::int64_t>(prompt.tokens.size());
                planned += plan.bytes(tokens, tokens + 69, samples, false);
            }
            const std::int64_t most = make(model, prompts, options).figures.most_cache_bytes;
            EXPECT_LE(most, planned) << family << " " << samples;
            EXPECT_TRUE(windows || most == planned) << family << " " << samples << ": " << most << " of " << planned;
            options.cache_bytes = planned;  // and with no more than that none waits
            EXPECT_EQ(make(model, prompts, options).figures.most_texts, 6 * samples) << family << " " << samples;
        }
    }
}

TEST(Generation, APromptIsComputedOnceForAllItsTexts) {
    const Model model("llama");
    const std::vector<GenerationPrompt> one = prompts_for(model, 10, 1), many = prompts_for(model, 10, 16);
    const Made a = make(model, one, options_of(4)), b = make(model, many, options_of(4));
    EXPECT_EQ(a.figures.prompt_tokens, b.figures.prompt_tokens);
    EXPECT_EQ(b.figures.tokens, 16 * a.figures.tokens);
    EXPECT_LT(b.figures.most_cache_bytes, 16 * a.figures.most_cache_bytes);
}

TEST(Generation, TextsOfTheirOwnLengths) {
    const Model model("qwen2");
    std::vector<GenerationPrompt> prompts = prompts_for(model, 8, 1);
    for (std::size_t i = 0; i < prompts.size(); ++i) prompts[i].max_new_tokens = static_cast<std::int64_t>(1 + 5 * i);
    GenerationOptions options = options_of(1000, true);
    const Made made = make(model, prompts, options);
    for (const auto& [key, text] : made.texts) {
        EXPECT_EQ(text.tokens.size(), 1 + 5 * key.first);
        EXPECT_EQ(text.reason, FinishReason::length);
    }
}

TEST(Generation, EndsWhenItIsToldTo) {
    const Model model("llama");
    const std::vector<GenerationPrompt> prompts = prompts_for(model, 4, 1);
    std::int64_t passes = 0;
    GenerationCalls calls;
    calls.take = [](GeneratedSample&&) { ADD_FAILURE() << "nothing was finished yet"; };
    calls.go_on = [&](const GenerationFigures&) { return ++passes < 5; };
    EXPECT_EQ(generate_texts(model.decoder, tokenizer(), prompts, options_of(100), calls).passes, 5);
}

TEST(Generation, BeamsAreThoseOfTransformers) {
    const Json golden = read_json(std::filesystem::path(XLRM_SOURCE_DIR) / "tests/fixtures/infer/beams.json");  // make_beams.py
    for (const char* family : kFamilies) {
        const Model model(family);
        int searches = 0, differing = 0;
        for (const Json& search : golden.at(family)) {
            GenerationOptions options = options_of(golden.at("new").get<std::int64_t>());
            options.beams = search.at("beams").get<std::int64_t>();
            options.sampling.repetition_penalty = search.at("penalty").get<double>();
            options.stop.stop_ids = search.at("stops").get<Tokens>();
            GenerationPrompt prompt{"p", 0, search.at("prompt").get<Tokens>()};
            for (std::int32_t i = 0; i < static_cast<std::int32_t>(options.beams); ++i) prompt.samples.push_back(i);
            // Beside others, and in pieces.
            std::vector<GenerationPrompt> prompts = prompts_for(model, 5, 1);
            prompts.insert(prompts.begin() + 2, prompt);
            options.token_budget = 24;
            const Made made = make(model, prompts, options);
            const Json& found = search.at("found");
            ASSERT_EQ(found.size(), prompt.samples.size());
            ++searches;
            for (std::size_t i = 0; i < found.size(); ++i) {
                const GeneratedSample& text = made.texts.at({2, static_cast<std::int32_t>(i)});
                const auto length = static_cast<double>(text.tokens.size());
                if (options.sampling.repetition_penalty == 1.0) {
                    EXPECT_NEAR(text.log_probability / length, found[i].at(1).get<double>(), 1e-4) << family << " rank " << i;
                }
                if (text.tokens == found[i].at(0).get<Tokens>()) continue;
                ++differing;
                // Ranks that differ are those of beams that are as good as each other.
                const bool close =
                    (i > 0 && std::abs(found[i].at(1).get<double>() - found[i - 1].at(1).get<double>()) < 1e-4) ||
                    (i + 1 < found.size() && std::abs(found[i].at(1).get<double>() - found[i + 1].at(1).get<double>()) < 1e-4);
                EXPECT_TRUE(close) << family << ": rank " << i << " of " << search.at("prompt").size() << " tokens";
            }
        }
        std::printf("%s: %d of the texts of %d searches differ\n", family, differing, searches);
        EXPECT_EQ(searches, 10);
        EXPECT_LE(differing, 2);
    }
}

TEST(Generation, RefusesOptionsThatContradict) {
    GenerationOptions options = options_of(3);
    options.token_budget = 0;
    expect_error([&] { require_valid(options); }, {"--token-budget"});
    options = options_of(3);
    options.beams = 2;
    options.stop.stop_strings = {"x"};
    expect_error([&] { require_valid(options); }, {"--stop", "--beams"});
    options = options_of(0);
    expect_error([&] { require_valid(options); }, {"--max-new-tokens"});
}

}  // namespace
}  // namespace xlrm
