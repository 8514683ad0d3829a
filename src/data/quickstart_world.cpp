#include "xlrm/data/quickstart_world.hpp"

#include "world/corpus.hpp"
#include "world/facts.hpp"
#include "world/pairs.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

constexpr double kHeldOutShare = 0.35;
constexpr int kVariants = 6;  // of each fact: question and answer in two forms each, other wrong answers

world::CorpusRecipe recipe_of(WorldSize size) {
    world::CorpusRecipe recipe;
    if (size == WorldSize::smoke) recipe.documents = 1500;
    return recipe;
}

// Every `step`-th item, in all languages: rows of one item follow each other.
std::vector<PreferenceRow> thinned(std::vector<PreferenceRow> rows, std::size_t step) {
    const std::size_t languages = world::kLanguageCount;
    std::vector<PreferenceRow> kept;
    for (std::size_t item = 0; item * languages < rows.size(); item += step)
        for (std::size_t l = 0; l < languages; ++l) kept.push_back(std::move(rows[item * languages + l]));
    return kept;
}

std::string preference_lines(const std::vector<PreferenceRow>& rows) {
    std::string lines;
    for (const PreferenceRow& row : rows) {
        const Json line = {{"id", row.id},
                           {"lang", row.lang},
                           {"subset", row.subset},
                           {"prompt", row.prompt.front().content},
                           {"chosen", row.answers[0].text()},
                           {"rejected", row.answers[1].text()},
                           {"synthetic", true}};
        lines += line.dump() + "\n";
    }
    return lines;
}

}  // namespace

World make_world(std::uint64_t seed, WorldSize size) {
    Random random(seed);
    const world::Facts facts = world::make_facts(random, kHeldOutShare);
    World result;
    result.languages.assign(world::kLanguages.begin(), world::kLanguages.end());
    result.train = world::fact_pairs(facts, false, kVariants, random);
    result.test = world::fact_pairs(facts, true, kVariants, random);
    if (size == WorldSize::smoke) {
        result.train = thinned(std::move(result.train), 17);
        result.test = thinned(std::move(result.test), 17);
    }
    result.corpus = world::make_corpus(facts, recipe_of(size), random);
    return result;
}

void write_world(const World& world, const std::filesystem::path& folder) {
    std::string documents;
    for (const std::string& text : world.corpus) {
        const Json line = {{"text", text}, {"lang", "mul"}, {"synthetic", true}};
        documents += line.dump() + "\n";
    }
    write_file_atomic(folder / "corpus.jsonl", documents);
    write_file_atomic(folder / "train.jsonl", preference_lines(world.train));
    write_file_atomic(folder / "test.jsonl", preference_lines(world.test));
}

}  // namespace xlrm
