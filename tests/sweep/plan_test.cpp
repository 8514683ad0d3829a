#include "xlrm/sweep/plan.hpp"

#include <gtest/gtest.h>

#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

SweepConfig small_config() {
    SweepConfig config;
    config.bases = {"tiny=models/tiny"};
    config.sources = {"en", "kor_Hang", "both=en+ko"};
    config.targets = {"en", "ko", "zho_Hans"};
    config.seeds = {"1", "2"};
    config.train_files = {"train.jsonl"};
    config.benchmarks = {{"dev", {"dev.jsonl"}}};
    return config;
}

TEST(Plan, HoldsEveryCellOfTheGridAndTheBase) {
    const Plan plan = make_plan(small_config());
    int floors = 0, trainings = 0, cells = 0, base_cells = 0;
    for (const Task& task : plan.tasks) {
        floors += task.kind == TaskKind::floor;
        trainings += task.kind == TaskKind::train;
        if (task.kind != TaskKind::evaluate) continue;
        ++cells;
        base_cells += task.source.empty();
        if (task.source.empty()) {
            EXPECT_EQ(task.needs, -1);
        } else {
            const Task& needed = plan.tasks[static_cast<std::size_t>(task.needs)];
            EXPECT_EQ(needed.kind, TaskKind::train);
            EXPECT_EQ(needed.model(), task.model());
        }
    }
    EXPECT_EQ(floors, 3);
    EXPECT_EQ(trainings, 6);
    EXPECT_EQ(cells, 6 * 3 + 3);
    EXPECT_EQ(base_cells, 3);
}

TEST(Plan, NamesModelsAndLanguagesCanonically) {
    const Plan plan = make_plan(small_config());
    EXPECT_EQ(plan.sources[1].name, "ko");
    EXPECT_EQ(plan.sources[2].name, "both");
    EXPECT_EQ(plan.sources[2].langs, (std::vector<std::string>{"en", "ko"}));
    EXPECT_EQ(plan.targets[2], "zh");
}

TEST(Plan, KeepsRegionsApartThatTheGridNames) {
    SweepConfig config = small_config();
    config.sources = {"pt-BR", "both=en+pt-PT", "kor_Hang"};
    config.targets = {"pt_BR", "por_PT", "ko-KR", "hin_Latn", "hin_Deva"};
    const Plan plan = make_plan(config);
    EXPECT_EQ(plan.targets, (std::vector<std::string>{"pt-br", "pt-pt", "ko", "hi-latn", "hi"}));
    EXPECT_EQ(plan.sources[0].name, "pt-br");
    EXPECT_EQ(plan.sources[1].langs, (std::vector<std::string>{"en", "pt-pt"}));
    EXPECT_EQ(config.target_language("pt-br"), "pt-br");
    EXPECT_EQ(config.target_language("ko"), "ko-kr");
    config.sources = {"en"};
    config.targets = {"pt-BR"};
    EXPECT_EQ(config.target_list(), std::vector<std::string>{"pt"});
    EXPECT_EQ(config.target_language("pt"), "pt-br");  // the rows of that region alone
}

TEST(Plan, SurvivesItsFile) {
    const Plan plan = make_plan(small_config());
    const Plan again = Plan::from_json(parse_json(plan.to_json().dump(), "plan"));
    ASSERT_EQ(again.tasks.size(), plan.tasks.size());
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) EXPECT_EQ(again.tasks[i].name(), plan.tasks[i].name());
    EXPECT_THROW(Plan::from_json(parse_json("{\"schema\": \"XLRM-plan-0\"}", "plan")), Error);
}

TEST(SweepConfig, RefusesGridsThatCannotBeBuilt) {
    const auto refused = [](auto change) {
        SweepConfig config = small_config();
        change(config);
        try {
            config.check();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(refused([](SweepConfig&) {}), "");
    EXPECT_NE(refused([](SweepConfig& c) { c.sources = {"en", "en"}; }).find("given twice"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.seeds = {"one"}; }).find("one"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.seeds = {"-1"}; }).find("-1"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.sources = {"../en"}; }).find("../en"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.ranks_per_cell = 0; }).find("ranks-per-cell"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.train_files.clear(); }).find("train"), std::string::npos);
    EXPECT_NE(refused([](SweepConfig& c) { c.benchmarks.clear(); }).find("eval"), std::string::npos);
}

}  // namespace
}  // namespace xlrm
