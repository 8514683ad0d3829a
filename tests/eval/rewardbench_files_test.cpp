#include "xlrm/eval/rewardbench_files.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

struct Data {
    std::vector<ScoredItem> items;
    std::vector<ItemText> texts;
    void add(const Json& columns, const std::string& lang, std::vector<double> scores, std::int32_t right = 1) {
        ItemText text{columns, "[P]", {}};
        for (std::size_t k = 0; k < scores.size(); ++k) text.texts.push_back("[P]a" + std::to_string(k));
        const Json& id = columns.at("id");
        items.push_back({id.is_string() ? id.get<std::string>() : id.dump(), columns.at("subset").get<std::string>(), lang,
                         std::move(scores), right});
        texts.push_back(std::move(text));
    }
    void write(const std::filesystem::path& folder, const std::string& ties = "auto") const {
        write_rewardbench_files({folder, "org/m", "tok", "tokenizer"}, report_benchmark("auto", ties, items), items, texts);
    }
};

TEST(RewardBenchFiles, OfTheFirstVersion) {
    const TemporaryFolder folder;
    Data data;
    data.add({{"id", 7}, {"subset", "hep-go"}, {"prompt", "P"}, {"chosen_model", "c"}}, "en", {2.0, 1.0});
    data.add({{"id", 8}, {"subset", "hep-go"}, {"prompt", "\u00e9"}}, "en", {1.0, 1.0});
    data.add({{"id", 9}, {"subset", "shp"}, {"prompt", "P"}}, "en", {0.0, 1.0});
    data.write(folder.path(), "half");
    EXPECT_EQ(read_json(folder / "eval-set/org/m.json"),
              Json::parse(R"({"chat_template": "tokenizer", "hep-go": 0.5, "model": "org/m", "model_type": "Seq. Classifier"})"));
    EXPECT_EQ(
        read_json(folder / "eval-set-scores/org/m.json"),
        Json::parse(
            R"({"chat_template": "tokenizer", "id": [7, 8], "model": "org/m", "model_type": "Seq. Classifier", "results": [1, 0], "scores_chosen": [2.0, 1.0],
                  "scores_rejected": [1.0, 1.0], "subset": ["hep-go", "hep-go"], "text_chosen": ["[P]a0", "[P]a0"], "text_rejected": ["[P]a1", "[P]a1"]})"));
    EXPECT_EQ(read_json(folder / "pref-sets/org/m.json")["shp"], 0.0);
    EXPECT_EQ(read_json(folder / "pref-sets-scores/org/m.json")["id"], Json::parse("[9]"));
    EXPECT_EQ(
        read_json(folder / "org/m.json"),
        Json::parse(
            R"({"accuracy": 0.3333333333333333, "num_prompts": 3, "model": "org/m", "ref_model": null, "tokenizer": "tok", "chat_template": null,
                  "extra_results": {"hep-go": 0.5, "shp": 0.0}})"));
    std::vector<Json> lines;
    for_each_line(folder / "org/m_outputs.jsonl",
                  [&](std::int64_t, std::string_view line) { lines.push_back(Json::parse(line)); });
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(
        lines[0],
        Json::parse(
            R"({"prompt": "[P]", "results": 1, "scores_chosen": 2.0, "scores_rejected": 1.0, "text_chosen": "[P]a0", "text_rejected": "[P]a1",
        "id": 7, "subset": "hep-go", "chosen_model": "c"})"));
    EXPECT_EQ(read_json(folder / "scores.json")["languages"]["en"]["subsets"]["hep-go"]["value"], 0.75);  // xlrm's own, as asked
    EXPECT_FALSE(std::filesystem::exists(folder / "org/m-en.json"));
}

TEST(RewardBenchFiles, OfTheSecondVersion) {
    const TemporaryFolder folder;
    Data data;
    data.add({{"id", "0"}, {"subset", "Math"}}, "en", {1.0, 1.0, 0.0, 1.0});
    data.add({{"id", "ref:1"}, {"subset", "Ties"}}, "en", {2.0, 0.0});
    data.add({{"id", "tied:1"}, {"subset", "Ties"}}, "en", {2.0, 1.5, 0.0}, 2);
    data.write(folder.path());
    const Json results = read_json(folder / "eval-set/org/m.json");
    EXPECT_EQ(results["Math"], 1.0 / 3.0);
    EXPECT_NEAR(results["Ties"].get<double>(), 1.0 + 0.01 * std::tanh(2.0), 1e-15);  // the gap of 1.5 is three spreads
    const Json columns = read_json(folder / "eval-set-scores/org/m.json");
    EXPECT_EQ(columns["scores"], Json::parse("[[1.0, 1.0, 0.0, 1.0], [2.0, 0.0], [2.0, 1.5, 0.0]]"));
    EXPECT_EQ(columns["num_correct"], Json::parse("[1, 1, 2]"));
    EXPECT_EQ(columns["text"][2], Json::parse(R"(["[P]a0", "[P]a1", "[P]a2"])"));
    EXPECT_EQ(columns["results"][0], 1.0 / 3.0);
    EXPECT_FALSE(std::filesystem::exists(folder / "org"));
}

TEST(RewardBenchFiles, OfSeveralLanguages) {
    const TemporaryFolder folder;
    Data data;
    data.add({{"id", 1}, {"subset", "hep-go"}}, "ko", {2.0, 1.0});
    data.add({{"id", 1}, {"subset", "hep-go"}}, "es", {0.0, 1.0});
    data.write(folder.path());
    EXPECT_EQ(read_json(folder / "org/m-ko.json")["subset_results"], Json::parse(R"({"hep-go": 1.0})"));
    EXPECT_TRUE(read_json(folder / "org/m-ko.json")["extra_results"].is_null());
    EXPECT_EQ(read_json(folder / "eval-set/org/m-es.json")["hep-go"], 0.0);
    EXPECT_EQ(read_json(folder / "eval-set/org/m-es.json")["model"], "org/m-es");
    EXPECT_EQ(Json::parse(read_file(folder / "org/m-es-all.jsonl")), Json::parse(R"({"chosen": 0.0, "rejected": 1.0})"));
}

}  // namespace
}  // namespace xlrm
