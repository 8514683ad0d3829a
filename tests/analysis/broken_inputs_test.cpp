// Each of these ends in a statement and defined tables, not in a crash.
#include <gtest/gtest.h>

#include "analysis/planted.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"

namespace xlrm {
namespace {

using test::row;
using test::rows;
using test::statements;

class BrokenInputs : public testing::Test {
protected:
    AnalyzeOptions options() const {
        AnalyzeOptions options = test::options_for(cells_.root());
        options.parts = {"accuracy", "headline", "gaps", "additive", "seeds", "pairs"};
        return options;
    }
    Json analysed() { return test::analysed(Communicator::self(), options()); }
    Json headline(const Json& summary) { return row(summary, "headline", {{"target", "ko"}, {"category", "all"}}); }

    TemporaryFolder folder_;
    test::PlantedFolder cells_{folder_ / "x"};
};

TEST_F(BrokenInputs, AMissingCell) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    std::filesystem::remove(cells_.cell("ko", 1, "ko"));
    const Json summary = analysed();
    ASSERT_EQ(statements(summary, "missing_cell").size(), 1U);
    EXPECT_NE(statements(summary, "missing_cell")[0].find("b.ko.s1 x.ko"), std::string::npos);
    EXPECT_EQ(summary.at("cells").at("planned"), 4);
    EXPECT_EQ(summary.at("cells").at("used"), 3);
    EXPECT_TRUE(headline(summary).at("gap").is_null());
    EXPECT_EQ(headline(summary).at("undefined").at("gap"), "missing_cell");
    EXPECT_EQ(headline(summary).at("undefined").at("p"), "missing_cell");
    EXPECT_FALSE(headline(summary).at("english").is_null());
    EXPECT_EQ(row(summary, "headline", {{"target", "mean"}, {"category", "all"}}).at("undefined").at("gap"), "missing_cell");
}

TEST_F(BrokenInputs, APlanNamesCellsThatNobodyHas) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    Json plan = {{"schema", "XLRM-plan-1"}, {"targets", {"ko", "en"}}, {"sources", Json::array()}, {"tasks", Json::array()}};
    for (const std::string source : {"ko", "en"}) {
        plan["sources"].push_back({{"name", source}, {"langs", {source}}});
        for (const std::int64_t seed : {1, 2})
            for (const std::string target : {"en", "ko"})
                plan["tasks"].push_back({{"kind", "evaluate"},
                                         {"base", "b"},
                                         {"source", source},
                                         {"seed", seed},
                                         {"benchmark", "x"},
                                         {"target", target}});
    }
    write_file_atomic(cells_.root() / "plan.json", plan.dump());
    const Json summary = analysed();
    EXPECT_EQ(statements(summary, "missing_cell").size(), 4U);  // seed 2
    EXPECT_EQ(summary.at("targets"), Json({"ko", "en"}));       // the plan's order
    EXPECT_FALSE(headline(summary).at("gap").is_null());
    plan["schema"] = "other";
    write_file_atomic(cells_.root() / "plan.json", plan.dump());
    expect_error([&] { analysed(); }, {"plan.json", "XLRM-plan-1"});
}

TEST_F(BrokenInputs, AWrongHash) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    const auto cell = cells_.cell("en", 1, "ko");
    write_file_atomic(cell, read_file(cell) + "x");
    const Json summary = analysed();
    ASSERT_EQ(statements(summary, "damaged_cell").size(), 1U);
    EXPECT_NE(statements(summary, "damaged_cell")[0].find("b.en.s1 x.ko"), std::string::npos);
    EXPECT_EQ(headline(summary).at("undefined").at("gap"), "missing_cell");
}

TEST_F(BrokenInputs, AModelsCellWithoutScores) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    cells_.write("en", 1, "ko", std::vector<float>(30, 1.0F), [](Cell& cell) {
        cell.has_scores = false;
        cell.chosen.clear();
        cell.rejected.clear();
    });
    EXPECT_EQ(statements(analysed(), "no_scores").size(), 1U);
}

TEST_F(BrokenInputs, OtherItemsInEachCell) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    cells_.write("en", 1, "ko", std::vector<float>(30, 1.0F), [](Cell& cell) {
        for (std::size_t i = 0; i < 5; ++i) cell.id[i] = "other-" + std::to_string(i);
    });
    const Json summary = analysed();
    ASSERT_EQ(statements(summary, "items_left_out").size(), 1U);
    EXPECT_NE(statements(summary, "items_left_out")[0].find("b x.ko: 10 of 35 items"), std::string::npos);
    EXPECT_EQ(headline(summary).at("items"), 25);
    EXPECT_EQ(row(summary, "headline", {{"target", "ko"}, {"category", "all"}}).at("english"), 1.0);
    AnalyzeOptions options = this->options();
    options.items = "refuse";
    expect_error([&] { run_analyze(Communicator::self(), options); }, {"b x.ko", "10 of 35 items", "--items intersect"});
}

TEST_F(BrokenInputs, CellsInOtherOrdersPairByItem) {
    std::vector<float> margins(30, -1.0F);
    for (std::size_t i = 0; i < 10; ++i) margins[i] = 1.0F;
    cells_.write("en", 1, "ko", margins);
    cells_.write("ko", 1, "ko", margins, [](Cell& cell) {
        std::reverse(cell.id.begin(), cell.id.end());
        std::reverse(cell.chosen.begin(), cell.chosen.end());
    });
    const Json pair = row(analysed(), "pairs", {{"target", "ko"}});
    EXPECT_EQ(pair.at("both"), 10);
    EXPECT_EQ(pair.at("agreement"), 1.0);
    EXPECT_EQ(pair.at("undefined").at("exact"), "no_discordant_items");
}

TEST_F(BrokenInputs, NoItemInCommon) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    cells_.write("en", 1, "ko", std::vector<float>(30, 1.0F), [](Cell& cell) {
        for (std::string& id : cell.id) id = "other-" + id;
    });
    const Json summary = analysed();
    EXPECT_EQ(statements(summary, "no_common_items").size(), 1U);
    EXPECT_TRUE(rows(summary, "accuracy", {{"target", "ko"}}).empty());
    EXPECT_FALSE(rows(summary, "accuracy", {{"target", "en"}}).empty());
}

TEST_F(BrokenInputs, OneLanguageAndOneSource) {
    cells_.write_grid({"en"}, {"en"}, {1, 2}, 30);
    const Json summary = analysed();
    EXPECT_EQ(statements(summary, "one_language").size(), 1U);
    EXPECT_EQ(statements(summary, "one_source").size(), 1U);
    EXPECT_TRUE(summary.at("tables").at("headline").at("rows").empty());
    EXPECT_TRUE(summary.at("tables").at("gaps").at("rows").empty());
    EXPECT_EQ(row(summary, "additive", {{"term", "home"}}).at("undefined").at("effect"), "not_identified");
    EXPECT_EQ(rows(summary, "omnibus", {}).front().at("undefined").at("p"), "one_model");
}

TEST_F(BrokenInputs, NoEnglishModel) {
    cells_.write_grid({"es", "ko"}, {"es", "ko"}, {1}, 30);
    const Json summary = analysed();
    EXPECT_EQ(statements(summary, "no_english").size(), 1U);
    EXPECT_TRUE(summary.at("tables").at("headline").at("rows").empty());
    AnalyzeOptions options = this->options();
    options.english = "es";
    EXPECT_FALSE(headline(test::analysed(Communicator::self(), options)).at("gap").is_null());
}

TEST_F(BrokenInputs, FewerThanFourItems) {
    for (const std::size_t items : {1U, 3U}) {
        cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, items);
        const Json summary = analysed();
        EXPECT_EQ(statements(summary, "too_few_items").size(), 2U);
        EXPECT_FALSE(headline(summary).at("gap").is_null());
        if (items > 1) continue;
        EXPECT_EQ(headline(summary).at("undefined").at("gap_low"), "no_variation");
        EXPECT_EQ(row(summary, "seeds", {{"source", "en"}, {"target", "ko"}}).at("undefined").at("item_se"), "one_cluster");
    }
}

TEST_F(BrokenInputs, RepeatedIds) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30, [](Cell& cell) {
        cell.id[1] = cell.id[0];
        cell.occurrence[1] = 1;
    });
    const Json summary = analysed();
    ASSERT_EQ(statements(summary, "repeated_ids").size(), 2U);
    EXPECT_NE(statements(summary, "repeated_ids")[0].find("1 items have an id"), std::string::npos);
    const Json accuracy = row(summary, "accuracy", {{"source", "en"}, {"target", "ko"}, {"category", "all"}});
    EXPECT_EQ(accuracy.at("items"), 30);
    EXPECT_EQ(accuracy.at("clusters"), 29);
}

TEST_F(BrokenInputs, ACategoryOfOneItem) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30, [](Cell& cell) { cell.subset[7] = "lonely"; });
    const Json summary = analysed();
    EXPECT_EQ(statements(summary, "category_of_one_item").size(), 2U);
    const Json lonely = row(summary, "headline", {{"target", "ko"}, {"category", "lonely"}});
    EXPECT_FALSE(lonely.at("gap").is_null());
    EXPECT_EQ(lonely.at("undefined").at("gap_low"), "no_variation");
    EXPECT_EQ(lonely.at("items"), 1);
}

TEST_F(BrokenInputs, NoCellAtAll) {
    std::filesystem::create_directories(cells_.root());
    expect_error([&] { analysed(); }, {"x", "no cell that verifies"});
}

TEST_F(BrokenInputs, BaseModelsAlone) {
    cells_.write("en", 1, "ko", std::vector<float>(10, 1.0F), [](Cell& cell) {
        cell.source_lang = "";
        cell.head = "none";
        cell.has_scores = false;
        cell.chosen.clear();
        cell.rejected.clear();
    });
    AnalyzeOptions all = options();
    all.parts = {};
    EXPECT_EQ(statements(test::analysed(Communicator::self(), all), "no_scores").size(), 1U);
}

TEST_F(BrokenInputs, TextsSayWhyAValueIsMissing) {
    cells_.write_grid({"en", "ko"}, {"en", "ko"}, {1}, 30);
    std::filesystem::remove(cells_.cell("ko", 1, "ko"));
    analysed();
    const auto text = [&](const char* name) { return read_file(cells_.root() / "analysis" / name); };
    EXPECT_NE(text("headline.csv").find("own:missing_cell;gap:missing_cell;gap_se:missing_cell"), std::string::npos);
    EXPECT_NE(text("headline.md").find("not defined (missing_cell"), std::string::npos);
    EXPECT_EQ(text("summary.json").find("NaN"), std::string::npos);
    for (const char* name : {"headline.csv", "gaps.csv", "accuracy.csv", "headline.md", "headline.tex"})
        EXPECT_EQ(text(name).find("nan"), std::string::npos) << name;
}

}  // namespace
}  // namespace xlrm
