#include "xlrm/sweep/tables.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/sweep/task_kinds.hpp"

namespace xlrm {
namespace {

//! Sources and targets en and ko, seeds 1 and 2, one benchmark of four items: q-1, q-1-n2 (a sibling), q-2, q-3.
Plan small_plan() {
    Plan plan;
    plan.bases = {{"b", {}}};
    plan.sources = {{"en", {"en"}}, {"ko", {"ko"}}};
    plan.targets = {"en", "ko"};
    plan.benchmarks = {"x"};
    plan.seeds = {1, 2};
    const auto add = [&](const char* kind, const Json& fields) { plan.tasks.push_back(task_kind(kind).read(fields, plan)); };
    const auto add_cell = [&](const std::string& source, std::int64_t seed, const std::string& target) {
        add("evaluate", {{"base", "b"}, {"source", source}, {"benchmark", "x"}, {"target", target}, {"seed", seed}});
    };
    for (const Source& source : plan.sources) add("floor", {{"source", source.name}, {"benchmark", "x"}});
    for (const Source& source : plan.sources) {
        for (const std::int64_t seed : plan.seeds) {
            for (const std::string& target : plan.targets) add_cell(source.name, seed, target);
        }
    }
    for (const std::string& target : plan.targets) add_cell("", 0, target);
    return plan;
}

//! What a task is, as its plan says it.
struct TaskView {
    std::string kind, model, output, source, target;
    std::int64_t seed = 0;
};

std::vector<TaskView> views(const Plan& plan) {
    std::vector<TaskView> list;
    for (const TaskPointer& task : plan.tasks) {
        const Json fields = task->fields();
        list.push_back({task->kind(), task->model(), task->output(), fields.at("source"), fields.value("target", ""),
                        fields.value("seed", std::int64_t{0})});
    }
    return list;
}

const std::vector<std::string> kIds = {"q-1", "q-1-n2", "q-2", "q-3"};

//! A cell whose margins are `margins`, and whose last layer (2 features) is, at every item, `state`.
Cell cell_of(const TaskView& task, const std::vector<float>& margins, const std::vector<float>& state) {
    Cell cell;
    cell.model = task.model;
    cell.source_lang = task.source;
    cell.target_lang = task.target;
    cell.seed = task.seed;
    cell.pooling = "last";
    cell.head = task.source.empty() ? "none" : "fp32";
    cell.dtype = "fp32";
    cell.provenance = Json::object();
    cell.has_scores = !task.source.empty();
    cell.id = kIds;
    cell.subset = {"easy", "easy", "hard", "hard"};
    cell.lang.assign(4, task.target);
    cell.occurrence = {0, 0, 0, 0};
    cell.chosen_tokens.assign(4, 5);
    cell.rejected_tokens.assign(4, 6);
    if (cell.has_scores) {
        cell.chosen = margins;
        cell.rejected.assign(4, 0.0F);
    }
    std::vector<std::byte> rows(4 * 2 * sizeof(float));
    for (std::size_t i = 0; i < 4; ++i) std::memcpy(rows.data() + i * 8, state.data(), 8);
    cell.activations["last"].push_back({1, DType::f32, 2, rows_in_memory(rows, 8), rows_in_memory(rows, 8)});
    return cell;
}

std::vector<float> margins(const TaskView& task) {
    if (task.source == "en" && task.target == "ko")
        return task.seed == 1 ? std::vector<float>{1, 1, -1, 0} : std::vector<float>{1, -1, 1, 1};
    if (task.source == "ko" && task.target == "ko") return {1, 1, 1, -1};
    if (task.source == "ko" && task.target == "en") return {-1, -1, -1, 1};
    return {1, 1, 1, 1};
}

class TransferTableTest : public testing::Test {
protected:
    TransferTableTest() {
        for (const TaskView& task : views(plan_)) {
            if (task.kind == "floor") {
                // en: 2.5 of 4 right in either language; ko: none.
                const Json right = task.source == "en" ? Json{1.0, 0.5, 0.0, 1.0} : Json{0.0, 0.0, 0.0, 0.0};
                const Json entry = {{"id", kIds}, {"subset", {"easy", "easy", "hard", "hard"}}, {"right", right}};
                write_file_atomic(sweep_.place(task.output), Json{{"targets", {{"en", entry}, {"ko", entry}}}}.dump());
                continue;
            }
            // The languages' states are orthogonal and of equal norm in the base, and the same in every reward model.
            const bool apart = task.source.empty() && task.target == "ko";
            write_cell(sweep_.place(task.output),
                       cell_of(task, margins(task), apart ? std::vector<float>{0, 3} : std::vector<float>{3, 0}), Json::object());
        }
    }

    const TransferEntry& entry(const TransferTable& table, const std::string& source, const std::string& target,
                               const std::string& subset) {
        for (const TransferEntry& candidate : table.entries) {
            if (candidate.source == source && candidate.target == target && candidate.subset == subset) return candidate;
        }
        throw std::runtime_error("no entry " + source + " " + target + " " + subset);
    }

    TemporaryFolder folder_;
    SweepFolder sweep_{folder_.path() / "sweep"};
    Plan plan_ = small_plan();
};

TEST_F(TransferTableTest, CountsPooledOverSeedsAndATieAsWrong) {
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    EXPECT_EQ(table.missing, 0);
    const TransferEntry& moved = entry(table, "en", "ko", "");
    EXPECT_EQ(moved.pooled.items, 8);
    EXPECT_EQ(moved.pooled.correct, 5);  // 2 of 4 with a tie, and 3 of 4
    EXPECT_EQ(moved.pooled.ties, 1);
    EXPECT_EQ(moved.seeds.at(1).correct, 2);
    EXPECT_EQ(moved.seeds.at(2).correct, 3);
    // Wilson, 5 of 8, z = 1.959964: (5 + z²/2 ∓ z √(5 · 3 / 8 + z²/4)) / (8 + z²)
    EXPECT_NEAR(moved.pooled.wilson.low, 0.305742, 1e-6);
    EXPECT_NEAR(moved.pooled.wilson.high, 0.863156, 1e-6);
    EXPECT_EQ(entry(table, "en", "ko", "easy").pooled.correct, 3);
    EXPECT_EQ(entry(table, "en", "ko", "hard").pooled.correct, 2);
    EXPECT_EQ(entry(table, "en", "ko", "hard").pooled.items, 4);
}

TEST_F(TransferTableTest, SetsGapAndFloorBesideEachEntry) {
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    EXPECT_DOUBLE_EQ(entry(table, "en", "ko", "").gap, 5.0 / 8 - 6.0 / 8);  // ko on ko is right in 6 of 8
    EXPECT_DOUBLE_EQ(entry(table, "ko", "en", "").gap, 2.0 / 8 - 1.0);
    EXPECT_DOUBLE_EQ(entry(table, "ko", "ko", "").gap, 0.0);
    EXPECT_DOUBLE_EQ(entry(table, "en", "ko", "").floor, 2.5 / 4);
    EXPECT_DOUBLE_EQ(entry(table, "en", "ko", "easy").floor, 1.5 / 2);
    EXPECT_DOUBLE_EQ(entry(table, "en", "ko", "hard").floor, 0.5);
    EXPECT_DOUBLE_EQ(entry(table, "ko", "en", "").floor, 0.0);
}

TEST_F(TransferTableTest, PoolsTheOffDiagonalGainWithSiblingsAndTranslationsAsOneCluster) {
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    ASSERT_EQ(table.gains.size(), 1U);
    const PooledGain& gain = table.gains[0];
    EXPECT_EQ(gain.cells, 4);
    EXPECT_EQ(gain.gain.observations, 16);
    EXPECT_EQ(gain.gain.clusters, 3);  // q-1 with q-1-n2, q-2, q-3
    EXPECT_DOUBLE_EQ(gain.accuracy.mean, (5.0 + 2.0) / 16);
    EXPECT_DOUBLE_EQ(gain.floor.mean, 5.0 / 16);
    EXPECT_DOUBLE_EQ(gain.gain.mean, 2.0 / 16);
    // Sums of gain: q-1 (en: 0, 0; ko: 0, 0) + sibling (en: ½, −½; ko: 0, 0) = 0 over 8; q-2 (en: 0, 1) = 1 over 4;
    // q-3 (en: −1, 0; ko: 1, 1) = 1 over 4. Residuals −1, ½, ½; √(1 + ¼ + ¼) / 16.
    EXPECT_NEAR(gain.gain.standard_error, std::sqrt(1.5) / 16, 1e-12);
}

TEST_F(TransferTableTest, GivesTheSingularValueRatioOfEachModel) {
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    ASSERT_EQ(table.ratios.size(), 5U);
    for (const RatioEntry& ratio : table.ratios) {
        EXPECT_EQ(ratio.items, 4) << ratio.model;
        EXPECT_NEAR(ratio.mean.at("raw").value(), ratio.model == "b" ? 0.5 : 1.0, 1e-7) << ratio.model;  // orthogonal; collinear
    }
}

TEST_F(TransferTableTest, TellsTheScoreByTheRuleOfABenchmarkThatIsRecognised) {
    EXPECT_EQ(format_text(build_table(grid_of(sweep_, plan_))).find("score  "), std::string::npos);  // plain subsets
    for (const TaskView& task : views(plan_)) {
        if (task.kind != "evaluate" || task.source.empty()) continue;
        Cell cell = cell_of(task, margins(task), {3, 0});
        cell.subset = {"hep-python", "hep-python", "math-prm", "math-prm"};
        write_cell(sweep_.place(task.output), cell, Json::object());
    }
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    const TransferEntry& moved = entry(table, "ko", "en", "");
    EXPECT_EQ(moved.rule, "rewardbench");
    EXPECT_DOUBLE_EQ(entry(table, "en", "en", "").score(), 1.0);
    // RewardBench counts 164 items of hep-python, none right, and gives math-prm, half right, the weight 984.
    EXPECT_NEAR(moved.score(), 0.5 * 984 / (164 + 984), 1e-12);
    EXPECT_EQ(entry(table, "en", "ko", "").rule, "m-rewardbench");
    EXPECT_NE(format_text(table).find("42.9 rewardbench"), std::string::npos);
    EXPECT_NE(format_csv(table).find(",rewardbench,0.428571"), std::string::npos);
}

TEST_F(TransferTableTest, CountsMissingAndDamagedCellsInsteadOfUsingThem) {
    for (const TaskView& task : views(plan_)) {
        if (task.kind != "evaluate" || task.source != "en" || task.target != "ko") continue;
        if (task.seed == 1)
            std::filesystem::remove(sweep_.place(task.output));
        else
            write_file_atomic(sweep_.place(task.output), read_file(sweep_.place(task.output)) + "x");
    }
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    EXPECT_EQ(table.missing, 2);
    EXPECT_THROW(entry(table, "en", "ko", ""), std::runtime_error);
    EXPECT_NE(format_text(table).find("2 cells are missing"), std::string::npos);
}

TEST_F(TransferTableTest, TheCsvHasALineForAllSeedsAndOneForEach) {
    const std::string csv = format_csv(build_table(grid_of(sweep_, plan_)));
    EXPECT_NE(csv.find("\nb,x,,en,ko,all,8,5,1,0.625000,0.305742,0.863156,-0.125000,0.625000,"), std::string::npos) << csv;
    EXPECT_NE(csv.find("\nb,x,,en,ko,1,4,2,1,0.500000,"), std::string::npos) << csv;
    EXPECT_NE(csv.find("\nb,x,hard,ko,en,2,2,1,0,0.500000,"), std::string::npos) << csv;
}

//! Rewrites the trained models' cells, after `change`.
template <class Change>
void rewrite(const SweepFolder& sweep, const Plan& plan, const Change& change) {
    for (const TaskView& task : views(plan)) {
        if (task.kind != "evaluate") continue;
        Cell cell = cell_of(task, margins(task), {3, 0});
        change(task, cell);
        write_cell(sweep.place(task.output), cell, Json::object());
    }
}

TEST_F(TransferTableTest, PairsWithOneIdAreItemsOfTheirOwn) {
    // q-1, its sibling and q-2 under one id: the floor is right, undecided, wrong, right, as with ids of their own.
    const std::vector<std::string> ids = {"q-1", "q-1", "q-1", "q-3"};
    rewrite(sweep_, plan_, [&](const TaskView&, Cell& cell) {
        cell.id = ids;
        cell.occurrence = {0, 1, 2, 0};
    });
    for (const TaskView& task : views(plan_)) {
        if (task.kind != "floor") continue;
        const Json right = task.source == "en" ? Json{1.0, 0.5, 0.0, 1.0} : Json{0.0, 0.0, 0.0, 0.0};
        // Korean from before occurrences were kept: the order counts.
        Json english = {
            {"id", ids}, {"occurrence", {0, 1, 2, 0}}, {"subset", {"easy", "easy", "hard", "hard"}}, {"right", right}};
        Json korean = english;
        korean.erase("occurrence");
        write_file_atomic(sweep_.place(task.output), Json{{"targets", {{"en", english}, {"ko", korean}}}}.dump());
    }
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    EXPECT_DOUBLE_EQ(entry(table, "en", "ko", "").floor, 2.5 / 4);
    ASSERT_EQ(table.gains.size(), 1U);
    EXPECT_DOUBLE_EQ(table.gains[0].floor.mean, 5.0 / 16);
    EXPECT_EQ(table.gains[0].gain.clusters, 2);
    for (const RatioEntry& ratio : table.ratios) EXPECT_EQ(ratio.items, 4) << ratio.model;
}

TEST_F(TransferTableTest, AllOfALineIsOverTheSameItems) {
    // The limit drops q-2 from every cell of Korean, and one cell of it lacks q-3 too; the floor has them all.
    rewrite(sweep_, plan_, [&](const TaskView& task, Cell& cell) {
        if (task.target != "ko" || task.source.empty()) return;
        const bool lacks_more = task.source == "en" && task.seed == 1;
        const std::size_t items = lacks_more ? 2 : 3;
        cell.id = lacks_more ? std::vector<std::string>{"q-1", "q-1-n2"} : std::vector<std::string>{"q-1", "q-1-n2", "q-3"};
        cell.subset = lacks_more ? std::vector<std::string>{"easy", "easy"} : std::vector<std::string>{"easy", "easy", "hard"};
        if (!lacks_more) cell.chosen[2] = cell.chosen[3];
        for (auto* list : {&cell.chosen, &cell.rejected}) list->resize(items);
        for (auto* list : {&cell.occurrence, &cell.chosen_tokens, &cell.rejected_tokens}) list->resize(items);
        cell.lang.resize(items);
        cell.activations.clear();
        cell.provenance = {{"options", {{"max_length", 77}}}, {"inputs", {{"report", {{"ko", {{"read", lacks_more ? 3 : 4}}}}}}}};
    });
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    const TransferEntry& moved = entry(table, "en", "ko", "");
    EXPECT_EQ(moved.pooled.items, 4);    // q-1 and q-1-n2 of two seeds
    EXPECT_EQ(moved.pooled.correct, 3);  // 1, 1 and 1, -1
    EXPECT_DOUBLE_EQ(moved.floor, 1.5 / 2);
    EXPECT_DOUBLE_EQ(moved.gap, 3.0 / 4 - 1.0);  // ko on ko is right in both
    EXPECT_EQ(entry(table, "ko", "ko", "").pooled.items, 4);
    EXPECT_EQ(entry(table, "en", "en", "").pooled.items, 8);
    ASSERT_EQ(table.left_out.size(), 1U);
    EXPECT_EQ(table.left_out[0].target, "ko");
    EXPECT_EQ(table.left_out[0].not_in_all, 1);
    EXPECT_EQ(table.left_out[0].too_long, 1);
    EXPECT_NE(format_text(table).find("1 of 3 items longer than max-length 77 are left out"), std::string::npos)
        << format_text(table);
}

TEST_F(TransferTableTest, AFloorOfFewerItemsIsNotShown) {
    for (const TaskView& task : views(plan_)) {
        if (task.kind != "floor") continue;
        const Json entry = {{"id", {"q-1"}}, {"subset", {"easy"}}, {"right", {1.0}}};
        write_file_atomic(sweep_.place(task.output), Json{{"targets", {{"en", entry}, {"ko", entry}}}}.dump());
    }
    const TransferTable table = build_table(grid_of(sweep_, plan_));
    EXPECT_TRUE(std::isnan(entry(table, "en", "ko", "").floor));
    EXPECT_NE(format_text(table).find("3 of 4 items have no verdict of a floor"), std::string::npos) << format_text(table);
}

TEST_F(TransferTableTest, EveryFileIsHashedOnce) {
    write_tables(sweep_, plan_);
    EXPECT_EQ(sweep_.hashes().files_read(), 10);  // eight cells of models, two of the base
    const auto read = sweep_.hashes().bytes_read();
    write_tables(sweep_, plan_);
    sweep_.done(plan_);
    EXPECT_EQ(sweep_.hashes().bytes_read(), read);
}

}  // namespace
}  // namespace xlrm
