// Results that other tools wrote enter the tables. Files and expected values: tests/fixtures/analysis/make_rewardbench_results.py
// (rewardbench 0.1.4's own writers and rule).
#include <gtest/gtest.h>

#include "analysis/planted.hpp"
#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

using test::row;
using test::rows;
using test::statements;

const std::filesystem::path kFiles = test::fixture("analysis/rewardbench_results");

class Import : public testing::Test {
protected:
    std::string file(const std::string& name) const { return (kFiles / name).string(); }
    std::string written(const std::string& name, const std::string& text) {
        write_file_atomic(folder_ / "files" / name, text);
        return (folder_ / "files" / name).string();
    }
    AnalyzeOptions options(const std::vector<std::string>& files) {
        AnalyzeOptions options = test::options_for(folder_ / "out");
        options.parts = {"transfer", "accuracy", "headline", "gaps", "pairs", "calibration", "baselines"};
        options.imported.files = files;
        return options;
    }
    Json analysed(const std::vector<std::string>& files) { return test::analysed(Communicator::self(), options(files)); }
    void refused(const std::vector<std::string>& files, const std::vector<std::string>& parts) {
        expect_error([&] { import_results(options(files).imported, folder_ / "out", true); }, parts);
        EXPECT_FALSE(std::filesystem::exists(folder_ / "out")) << "something was written";
    }
    static double all(const Json& summary, const std::string& base, const std::string& source, const std::string& target) {
        return row(summary, "accuracy", {{"base", base}, {"source", source}, {"target", target}, {"category", "all"}})
            .at("accuracy");
    }

    TemporaryFolder folder_;
    Json expected_ = read_json(kFiles / "expected.json");
};

TEST_F(Import, RewardBenchScoresGiveRewardBenchsOwnNumbers) {
    const Json summary = analysed({"@en=" + file("results/eval-set-scores/org/rm.json")});
    const Json& expected = expected_.at("org-rm");
    EXPECT_NEAR(all(summary, "org-rm", "(given)", "en"), expected.at("accuracy"), 1e-12);
    double sum = 0.0;
    for (const auto& [section, value] : expected.at("sections").items()) {
        EXPECT_NEAR(row(summary, "accuracy", {{"category", section}}).at("accuracy").get<double>(), value.get<double>(), 1e-12)
            << section;
        sum += value.get<double>();
    }
    EXPECT_NEAR(row(summary, "accuracy", {{"category", "average"}}).at("accuracy").get<double>(), sum / 4, 1e-12);
    EXPECT_TRUE(row(summary, "baselines", {}).at("longer_wins").is_null());  // lengths are not known
    const Json& files = summary.at("files");
    EXPECT_TRUE(files.contains("imported/org-rm/rewardbench.en.h5")) << files;
}

TEST_F(Import, ModelsOfTwoSourcesInTwoLanguagesMakeAHeadline) {
    const std::vector<std::string> files = {
        "llama.en.s1=" + file("rm-en-eng_Latn-all.jsonl"), "llama.en.s1=" + file("rm-en-kor_Hang-all.jsonl"),
        "llama.ko.s1=" + file("rm-ko-eng_Latn-all.jsonl"), "llama.ko.s1=" + file("rm-ko-kor_Hang-all.jsonl")};
    const Json summary = analysed(files);
    const auto accuracy = [&](const std::string& name) { return expected_.at(name).at("accuracy").get<double>(); };
    for (const std::string source : {"en", "ko"}) {
        EXPECT_NEAR(all(summary, "llama", source, "en"), accuracy("llama." + source + ".s1 eng_Latn"), 1e-12);
        EXPECT_NEAR(all(summary, "llama", source, "ko"), accuracy("llama." + source + ".s1 kor_Hang"), 1e-12);
    }
    const Json headline = row(summary, "headline", {{"target", "ko"}, {"category", "all"}});
    EXPECT_NEAR(headline.at("gap").get<double>(), accuracy("llama.en.s1 kor_Hang") - accuracy("llama.ko.s1 kor_Hang"), 1e-12);
    EXPECT_FALSE(headline.at("gap_low").is_null());
    EXPECT_EQ(summary.at("sources"), Json({"en", "ko"}));
    EXPECT_EQ(analysed(files), summary);  // read again: the same
}

TEST_F(Import, RowsSayLanguageCategoryAndId) {
    const Json summary = analysed({"mine=" + file("RM_outputs.jsonl")});
    EXPECT_NEAR(all(summary, "mine", "(given)", "ko"), expected_.at("outputs").at("accuracy").get<double>(), 1e-12);
    EXPECT_EQ(row(summary, "accuracy", {{"category", "Reasoning"}}).at("items"), 21);
}

TEST_F(Import, VerdictsAloneAreSaidToBeThat) {
    const Json summary = analysed({file("org___judge-kor_Hang.json"), "@en=" + file("results/eval-set-scores/org/judge.json")});
    const std::vector<std::string> said = statements(summary, "verdicts_alone");
    ASSERT_EQ(said.size(), 2U);
    EXPECT_NE(said[0].find("org-judge"), std::string::npos) << said[0];
    const Json judge = row(summary, "accuracy", {{"target", "ko"}, {"category", "all"}});
    EXPECT_NEAR(judge.at("accuracy").get<double>(), expected_.at("judge").at("wins").get<double>() / 69, 1e-12);
    EXPECT_EQ(judge.at("ties"), expected_.at("judge").at("ties"));
}

TEST_F(Import, EntersTheTablesOfASweepBesideItsOwnModels) {
    test::PlantedFolder(folder_ / "out").write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    std::string lines;
    for (int i = 0; i < 30; ++i)
        lines += Json({{"id", "q-" + std::to_string(i)}, {"scores_chosen", i % 3 == 0 ? -1 : 2}, {"scores_rejected", 0}}).dump() +
                 "\n";
    AnalyzeOptions options = this->options({"b.es.s1@ko=" + written("es.jsonl", lines)});
    options.imported.benchmark = "x";
    const Json summary = test::analysed(Communicator::self(), options);
    EXPECT_NEAR(row(summary, "gaps", {{"source", "es"}, {"target", "ko"}, {"kind", "own"}, {"category", "all"}})
                    .at("items")
                    .get<double>(),
                30, 0);
    EXPECT_NEAR(all(summary, "b", "es", "ko"), 20.0 / 30, 1e-12);
    EXPECT_EQ(summary.at("cells").at("planned"), 5);
    options.imported.files = {"b.en.s1@ko=" + written("es.jsonl", lines)};
    expect_error([&] { run_analyze(Communicator::self(), options); }, {"imported/b.en.s1", "import it under another name"});
}

TEST_F(Import, RewardBench2sListsOfAnswers) {
    const std::string text =
        R"({"model": "org/rm2", "id": ["a", "b"], "subset": ["Math", "Focus"], "scores": [[[2.0], [1.0], [0.5], [0.0]], [1.0, 3.0, 0.0, 0.5]],
            "num_correct": [1, 1], "results": [1.0, 0.0]})";
    const Json summary = analysed({"@en=" + written("rm2.json", text)});
    EXPECT_NEAR(all(summary, "org-rm2", "(given)", "en"), 0.5, 1e-12);
}

TEST_F(Import, NamesFileAndFieldOfWhatItRefuses) {
    const auto json = [&](const std::string& change) {
        Json object = read_json(kFiles / "results/eval-set-scores/org/rm.json");
        object.merge_patch(parse_json(change, "change"));
        return "@en=" + written("bad.json", object.dump());
    };
    refused({"@en=" + file("results/eval-set/org/rm.json")},
            {"eval-set/org/rm.json", "holds no scores of items", "eval-set-scores/"});
    refused({json(R"({"scores_chosen": [1.0]})")}, {"bad.json", "scores_chosen has 1 values, others have 69"});
    refused({json(R"({"subset": null})")}, {"bad.json", "field subset is missing"});
    refused({json(R"({"id": [null]})")}, {"bad.json", "subset has 69 values, others have 1"});
    refused({json(R"({"scores_chosen": null, "results": null})")}, {"bad.json", "neither scores_chosen nor results"});
    Json object = read_json(kFiles / "results/eval-set-scores/org/rm.json");
    object["scores_rejected"][7] = "high";
    refused({"@en=" + written("bad.json", object.dump())}, {"bad.json", "scores_rejected[7]", "finite number"});
    refused({file("results/eval-set-scores/org/rm.json")}, {"rm.json", "language", "MODEL@LANGUAGE="});
    refused({"@en=" + file("RM_outputs.jsonl")}, {"RM_outputs.jsonl", "names no model"});
    refused({"../x@en=" + file("RM_outputs.jsonl")}, {"'..-x' cannot name a folder"});
    refused({"m@ko=" + written("bad.jsonl", "{\"chosen\": 1, \"rejected\": 0}\n{\"chosen\": 1}\n")},
            {"bad.jsonl:2", "field rejected is missing"});
    refused({"m@ko=" + written("bad.jsonl", "{\"chosen\": 1, \"rejected\": 0}\nchosen\n")}, {"bad.jsonl:2"});
    refused({"m@ko=" + written("bad.jsonl", "{\"chosen\": 1e9, \"rejected\": 999999999.9}\n")}, {"item '0'", "float32"});
    refused({"m@ko=" + written("bad.jsonl", "\n")}, {"bad.jsonl", "no row"});
    refused({"m@ko=" + written("bad.jsonl", "{\"results\": 0.7}\n")}, {"bad.jsonl:1", "results", "0, 0.5 or 1"});
    refused({"m@ko=" + written("bad.txt", "x")}, {"bad.txt", "none of them"});
    refused({"m@ko=" + file("RM_outputs.jsonl"), "m=" + file("rm-en-kor_Hang-all.jsonl")}, {"scores of m in ko come from"});
}

}  // namespace
}  // namespace xlrm
