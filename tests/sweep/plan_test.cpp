#include "xlrm/sweep/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "plain_task.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/sweep/stages.hpp"

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
    std::map<std::string, int> kinds;
    int base_cells = 0;
    for (const TaskPointer& task : plan.tasks) {
        ++kinds[task->kind()];
        if (task->kind() != std::string("evaluate")) continue;
        base_cells += task->model() == "tiny";
        if (task->model() == "tiny") {
            EXPECT_TRUE(task->needs.empty());
        } else {
            ASSERT_EQ(task->needs.size(), 1U);
            EXPECT_EQ(plan.task(task->needs[0]).name(), "train " + task->model());
        }
    }
    const int floors = kinds["floor"], trainings = kinds["train"], cells = kinds["evaluate"];
    EXPECT_EQ(floors, 3);
    EXPECT_EQ(trainings, 6);
    EXPECT_EQ(cells, 6 * 3 + 3);
    EXPECT_EQ(base_cells, 3);
}

TEST(Plan, JudgesAreAskedInPlaceOfBeingScored) {
    SweepConfig config = small_config();
    config.models = {"rm=models/rm", "judge=models/judge"};
    config.judges = {"judge"};
    config.judge.prompt = "pair.txt";
    config.check();
    const Plan plan = make_plan(config);
    std::map<std::string, int> of_judge, of_rm;
    for (const TaskPointer& task : plan.tasks) {
        if (task->model() == "judge") ++of_judge[task->kind()];
        if (task->model() == "rm") ++of_rm[task->kind()];
    }
    EXPECT_EQ(of_judge, (std::map<std::string, int>{{"judge", 3}}));
    EXPECT_EQ(of_rm, (std::map<std::string, int>{{"evaluate", 3}}));
    const int cell = plan.index_of("cells/judge/dev.ko.h5");
    ASSERT_GE(cell, 0);
    EXPECT_EQ(plan.task(cell).name(), "judge judge dev.ko");
    const std::vector<int>& analysed = plan.task(plan.index_of("analysis")).needs;
    EXPECT_NE(std::ranges::find(analysed, cell), analysed.end());
    const Plan again = Plan::from_json(parse_json(plan.to_json().dump(), "plan"));
    EXPECT_EQ(again.task(cell).output(), "cells/judge/dev.ko.h5");
    Grid grid;
    again.task(cell).add_to(grid, SweepFolder{"out"});
    ASSERT_EQ(grid.cells.size(), 1U);
    EXPECT_EQ(grid.cells[0].source, kGivenModel);
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
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) EXPECT_EQ(again.tasks[i]->name(), plan.tasks[i]->name());
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        EXPECT_EQ(again.tasks[i]->needs, plan.tasks[i]->needs);
        EXPECT_EQ(again.tasks[i]->output(), plan.tasks[i]->output());
        EXPECT_EQ(again.tasks[i]->ranks, plan.tasks[i]->ranks);
    }
    EXPECT_THROW(Plan::from_json(parse_json("{\"schema\": \"XLRM-plan-0\"}", "plan")), Error);
}

// Made as version 1 wrote it: its bases, world and tokenizer are in its recipes alone.
TEST(Plan, ReadsItsFirstVersion) {
    const Json json = parse_json(R"({"schema": "XLRM-plan-1", "targets": ["en"], "benchmarks": ["x"], "seeds": [1],
        "bases": [{"name": "b", "folder": ""}], "sources": [{"name": "en", "langs": ["en"]}], "inputs": {"bases": {}},
        "recipes": {"world": {}, "tokenizer": {}, "models/b": {}, "models/b.en.s1": {}, "floors/en.x.json": {},
                    "cells/b.en.s1/x.en.h5": {}, "cells/b/x.en.h5": {}},
        "tasks": [
          {"kind": "floor", "base": "", "source": "en", "seed": 0, "benchmark": "x", "target": "", "needs": -1, "cost": 0.1},
          {"kind": "train", "base": "b", "source": "en", "seed": 1, "benchmark": "", "target": "", "needs": -1, "cost": 3.0},
          {"kind": "evaluate", "base": "b", "source": "en", "seed": 1, "benchmark": "x", "target": "en", "needs": 1, "cost": 1.0},
          {"kind": "evaluate", "base": "b", "source": "", "seed": 0, "benchmark": "x", "target": "en", "needs": -1, "cost": 1.0}
        ]})",
                                 "plan");
    const Plan plan = Plan::from_json(json);
    std::vector<std::string> outputs;
    for (const TaskPointer& task : plan.tasks) outputs.push_back(task->output());
    EXPECT_EQ(outputs, (std::vector<std::string>{"world", "tokenizer", "models/b", "floors/en.x.json", "models/b.en.s1",
                                                 "cells/b.en.s1/x.en.h5", "cells/b/x.en.h5"}));
    EXPECT_EQ(plan.task(5).needs, std::vector<int>{4});
    EXPECT_TRUE(plan.task(6).needs.empty());
}

TEST(Plan, ANoiseFloorIsTheBaseOnceMore) {
    SweepConfig config = small_config();
    const std::size_t before = make_plan(config).tasks.size();
    config.noise_floor = true;
    config.check();
    const Plan plan = make_plan(config);
    EXPECT_EQ(plan.tasks.size(), before + 3);
    const int index = plan.index_of("cells/tiny.bf16/dev.ko.h5");
    ASSERT_GE(index, 0);
    EXPECT_EQ(plan.task(index).model(), "tiny");  // the model that it needs
    const Plan again = Plan::from_json(parse_json(plan.to_json().dump(), "plan"));
    EXPECT_GE(again.index_of("cells/tiny.bf16/dev.ko.h5"), 0);
    config.evaluate.dtype = "bf16";
    EXPECT_THROW(config.check(), Error);
}

TEST(Plan, AModelThatIsGivenIsARowOfTheGrid) {
    SweepConfig config = small_config();
    config.models = {"rm=models/skywork", "models/armo/"};
    const Plan plan = make_plan(config);
    for (const char* output : {"cells/rm/dev.en.h5", "cells/armo/dev.zh.h5"}) {
        const int index = plan.index_of(output);
        ASSERT_GE(index, 0) << output;
        EXPECT_TRUE(plan.task(index).needs.empty());
    }
    EXPECT_EQ(plan.index_of("models/rm"), -1);
    config.models = {"tiny=models/other"};
    EXPECT_THROW(config.check(), Error);
}

TEST(Plan, IsDrawnWithAnArrowForEachNeed) {
    const Plan plan = make_plan(small_config());
    std::size_t needs = 0;
    for (const TaskPointer& task : plan.tasks) needs += task->needs.size();
    const std::string dot = plan.to_dot(std::vector<bool>(plan.tasks.size(), false));
    std::size_t arrows = 0;
    for (std::size_t at = dot.find(" -> "); at != std::string::npos; at = dot.find(" -> ", at + 1)) ++arrows;
    EXPECT_EQ(arrows, needs);
    EXPECT_NE(dot.find("[label=\"train tiny.en.s1\"]"), std::string::npos) << dot;
    EXPECT_EQ(dot.find("lightgrey"), std::string::npos);
    EXPECT_NE(plan.to_dot({true}).find("lightgrey"), std::string::npos);
}

TEST(Stages, TasksOfAnotherSizeComeFirstWithWhatTheyNeed) {
    Plan plan;
    const auto base = plain_task("pretrain", "b", 1.0, {0});
    base->ranks = 8;
    const auto training = plain_task("train", "m", 1.0, {1});
    training->ranks = 2;
    plan.tasks = {plain_task("tokenizer", "", 1.0, {}), base, training, plain_task("floor", "", 1.0, {})};
    const std::vector<Stage> stages = stages_of(plan, std::vector<bool>(4, false), 2);
    ASSERT_EQ(stages.size(), 2U);
    EXPECT_EQ(stages[0].ranks, 8);
    EXPECT_EQ(stages[0].tasks, (std::vector<bool>{true, true, false, false}));
    EXPECT_EQ(stages[0].groups, 1);
    EXPECT_EQ(stages[1].ranks, 2);
    EXPECT_EQ(stages[1].groups, 0);
    EXPECT_TRUE(stages[1].tasks.empty());
    EXPECT_EQ(stages_of(plan, {true, true, false, false}, 2).size(), 1U);
    EXPECT_TRUE(stages_of(plan, std::vector<bool>(4, true), 2).empty());
}

TEST(Stages, WhatWantsAllRanksIsAStageOfItsOwnAtTheEnd) {
    Plan plan;
    const auto base = plain_task("pretrain", "b", 1.0, {});
    base->ranks = 8;
    const auto sum = plain_task("analyze", "", 1.0, {1});
    sum->ranks = kAllRanks;
    plan.tasks = {base, plain_task("cell", "b", 1.0, {0}), sum};
    const std::vector<Stage> stages = stages_of(plan, {false, false, false}, 2);
    ASSERT_EQ(stages.size(), 3U);
    EXPECT_EQ(stages[0].tasks, (std::vector<bool>{true, false, false}));
    EXPECT_EQ(stages[1].tasks, (std::vector<bool>{true, true, false}));
    EXPECT_EQ(stages[1].ranks, 2);
    EXPECT_EQ(stages[2].tasks, (std::vector<bool>{false, false, true}));
    EXPECT_EQ(stages[2].groups, 1);
    EXPECT_GT(stages[2].ranks, 1000000);
    EXPECT_EQ(stages_of(plan, {true, true, false}, 2).size(), 1U);
    EXPECT_TRUE(stages_of(plan, {false, false, true}, 2).back().tasks.empty());
}

TEST(Plan, EndsWithTheAnalysisOfAllCellsUnlessItIsLeftOut) {
    SweepConfig config = small_config();
    const Plan plan = make_plan(config);
    const Task& analysis = *plan.tasks.back();
    EXPECT_EQ(analysis.output(), "analysis");
    EXPECT_EQ(analysis.ranks, kAllRanks);
    EXPECT_EQ(analysis.needs.size(), 3U + 6 * 3 + 3);  // floors, cells of models, cells of the base
    config.analyze.resamples = 300;
    EXPECT_NE(make_plan(config).tasks.back()->fields(), analysis.fields());
    config.analysis = "no";
    EXPECT_EQ(make_plan(config).index_of("analysis"), -1);
    EXPECT_EQ(make_plan(config).tasks.size() + 1, plan.tasks.size());
}

TEST(SweepFolder, WhatIsDerivedIsNotDoneWithoutAllThatItNeeds) {
    const TemporaryFolder place;
    const SweepFolder folder(place.path());
    Plan plan;
    const auto sum = plain_task("analyze", "", 1.0, {0});
    sum->sums_up = true;
    plan.tasks = {plain_task("cell", "", 1.0, {}), sum};
    write_file_atomic(folder.place("outputs/analyze"), "there");
    EXPECT_EQ(folder.done(plan), (std::vector<bool>{false, false}));
    write_file_atomic(folder.place("outputs/cell"), "there");
    EXPECT_EQ(folder.done(plan), (std::vector<bool>{true, true}));
}

TEST(SweepFolder, AnIntermediateOutputIsAskedForOnlyByTasksThatAreLeft) {
    const TemporaryFolder place;
    const SweepFolder folder(place.path());
    Plan plan;
    const auto rows = plain_task("rows", "", 1.0, {});
    rows->serves_others = true;
    plan.tasks = {rows, plain_task("model", "", 1.0, {0}), plain_task("cell", "", 1.0, {1})};
    EXPECT_EQ(folder.done(plan), (std::vector<bool>{false, false, false}));
    write_file_atomic(folder.place("outputs/model"), "there");
    EXPECT_EQ(folder.done(plan), (std::vector<bool>{true, true, false}));
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
