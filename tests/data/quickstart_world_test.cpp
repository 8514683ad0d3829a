#include "xlrm/data/quickstart_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "xlrm/core/file.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

const World& full_world() {
    static const World world = make_world(1, WorldSize::full);
    return world;
}

// Rows of one language by id.
std::map<std::string, const PreferenceRow*> of_language(const std::vector<PreferenceRow>& rows, const std::string& lang) {
    std::map<std::string, const PreferenceRow*> result;
    for (const PreferenceRow& row : rows)
        if (row.lang == lang) result.emplace(row.id, &row);
    return result;
}

TEST(QuickstartWorld, ItemsAreParallelInAllLanguages) {
    const World& world = full_world();
    EXPECT_EQ(world.languages, (std::vector<std::string>{"en", "es", "it", "ko", "zh"}));
    for (const auto* rows : {&world.train, &world.test}) {
        const auto english = of_language(*rows, "en");
        EXPECT_GE(english.size(), 500U);
        EXPECT_EQ(english.size() * world.languages.size(), rows->size());
        for (const std::string& lang : world.languages) {
            const auto other = of_language(*rows, lang);
            ASSERT_EQ(other.size(), english.size());
            for (const auto& [id, row] : english) EXPECT_EQ(other.at(id)->subset, row->subset) << id;
        }
    }
}

TEST(QuickstartWorld, RowsAreWellFormed) {
    for (const PreferenceRow& row : full_world().test) {
        ASSERT_EQ(row.prompt.size(), 1U);
        ASSERT_EQ(row.answers.size(), 2U);
        EXPECT_NE(row.answers[0].text(), row.answers[1].text()) << row.id;
        for (const std::string& text : {row.prompt[0].content, row.answers[0].text(), row.answers[1].text()}) {
            EXPECT_FALSE(text.empty());
            EXPECT_EQ(text.find("{}"), std::string::npos) << text;
            EXPECT_EQ(text.find('/'), std::string::npos) << text;  // an unresolved particle
        }
    }
}

TEST(QuickstartWorld, TrainingItemsNeverAskForATestSubject) {
    std::set<std::string> prompts;
    for (const PreferenceRow& row : full_world().train) prompts.insert(row.prompt[0].content);
    for (const PreferenceRow& row : full_world().test)
        EXPECT_EQ(prompts.count(row.prompt[0].content), 0U) << row.prompt[0].content;
}

TEST(QuickstartWorld, NoAnswerIsBetterInItself) {
    for (const auto* rows : {&full_world().train, &full_world().test}) {
        std::map<std::string, int> balance;
        for (const PreferenceRow& row : *rows) {
            ++balance[row.lang + " " + row.answers[0].text()];
            --balance[row.lang + " " + row.answers[1].text()];
        }
        for (const auto& [answer, surplus] : balance) EXPECT_EQ(surplus, 0) << answer;
    }
}

TEST(QuickstartWorld, StatesHeldOutFactsInTheCorpus) {
    const auto contains = [](const std::string& text) {
        const auto& corpus = full_world().corpus;
        return std::any_of(corpus.begin(), corpus.end(),
                           [&](const std::string& document) { return document.find(text) != std::string::npos; });
    };
    for (const char* lang : {"en", "ko"})
        for (const auto& [id, row] : of_language(full_world().test, lang))
            EXPECT_TRUE(!id.ends_with("-n0") || contains(row->prompt[0].content)) << row->prompt[0].content;
}

TEST(QuickstartWorld, ResolvesKoreanParticles) {
    std::set<std::string> prompts;
    for (const auto* rows : {&full_world().train, &full_world().test})
        for (const PreferenceRow& row : *rows)
            if (row.lang == "ko") prompts.insert(row.prompt[0].content);
    EXPECT_TRUE(prompts.count("그럼 개는 무엇입니까?"));  // ends in a vowel
    EXPECT_TRUE(prompts.count("그럼 곰은 무엇입니까?"));  // ends in a consonant
    EXPECT_FALSE(prompts.count("그럼 곰는 무엇입니까?"));
}

TEST(QuickstartWorld, DependsOnSeedAndSizeAlone) {
    const World first = make_world(7, WorldSize::smoke), again = make_world(7, WorldSize::smoke),
                other = make_world(8, WorldSize::smoke);
    EXPECT_EQ(first.corpus, again.corpus);
    ASSERT_EQ(first.test.size(), again.test.size());
    for (std::size_t i = 0; i < first.test.size(); ++i) {
        EXPECT_EQ(first.test[i].id, again.test[i].id);
        for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(first.test[i].answers[k].text(), again.test[i].answers[k].text());
    }
    EXPECT_NE(first.corpus, other.corpus);
    EXPECT_LT(first.test.size(), full_world().test.size() / 10);
    EXPECT_LT(first.corpus.size(), full_world().corpus.size());
}

TEST(QuickstartWorld, FilesReadBackAndSayThatTheyAreSynthetic) {
    const auto folder = std::filesystem::temp_directory_path() / "xlrm_quickstart_world_test";
    std::filesystem::remove_all(folder);
    const World world = make_world(7, WorldSize::smoke);
    write_world(world, folder);
    for (const char* name : {"corpus.jsonl", "train.jsonl", "test.jsonl"})
        for_each_line(folder / name, [&](std::int64_t, std::string_view line) {
            EXPECT_TRUE(parse_json(line, name).at("synthetic").get<bool>());
        });
    std::size_t row = 0;
    for_each_line(folder / "test.jsonl", [&](std::int64_t number, std::string_view line) {
        const Json json = parse_json(line, "test.jsonl");
        ASSERT_LT(row, world.test.size());
        EXPECT_EQ(json.at("id").get<std::string>(), world.test[row].id) << number;
        EXPECT_EQ(json.at("chosen").get<std::string>(), world.test[row].answers[0].text());
        EXPECT_EQ(json.at("rejected").get<std::string>(), world.test[row].answers[1].text());
        ++row;
    });
    EXPECT_EQ(row, world.test.size());
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace xlrm
