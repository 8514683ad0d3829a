#include "xlrm/sweep/compare.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/model/model_folder.hpp"
#include "xlrm/store/cell_file.hpp"
#include "xlrm/sweep/recipes.hpp"
#include "xlrm/sweep/supersede.hpp"
#include "xlrm/sweep/task_kinds.hpp"

namespace xlrm {
namespace {

const std::string kModel = "models/b.en.s1";
const std::string kCell = "cells/b.en.s1/x.ko.h5";
const std::string kFloor = "floors/en.x.json";

//! One model, cell and floor, as an earlier version left them: without recipes.
class CompareTest : public testing::Test {
protected:
    CompareTest() {
        for (const auto& [file, bytes] :
             std::map<std::string, std::string>{{"config.json", "{}"}, {"model.safetensors", "base"}}) {
            write_file_atomic(folder_ / "base" / file, bytes);
            write_file_atomic(sweep_.root() / kModel / file, bytes + "trained");
        }
        plan_.bases = {{"b", folder_ / "base"}};
        plan_.sources = {{"en", {"en"}}};
        plan_.targets = {"ko"};
        plan_.benchmarks = {"x"};
        plan_.seeds = {1};
        const auto add = [&](const char* kind, const Json& fields) {
            plan_.tasks.push_back(task_kind(kind).read(fields, plan_));
        };
        add("floor", {{"source", "en"}, {"benchmark", "x"}});
        add("train", {{"base", "b"}, {"source", "en"}, {"seed", 1}});
        add("evaluate", {{"base", "b"}, {"source", "en"}, {"seed", 1}, {"benchmark", "x"}, {"target", "ko"}});
        plan_.inputs = {{"data.train", input("train.jsonl")},
                        {"data.eval.x", input("dev.jsonl")},
                        {"bases", {{"b", {{"folder", (folder_ / "base").string()}, {"recipe", Json::object()}}}}}};
        train_.langs = {"en"};
        train_.source = "en";
        plan_.recipes[kModel] = {{"numerics", 1}, {"options", recipe_options(train_)}, {"rows_sha256", "t"}, {"base", "b"}};
        plan_.recipes[kCell] = {
            {"numerics", 1}, {"options", content_of(EvaluateOptions{})}, {"rows_sha256", "d"}, {"model", "m"}};
        plan_.recipes[kFloor]["ko"] = {{"numerics", 1}, {"langs", {"en"}}, {"train_sha256", "t"}, {"rows_sha256", "d"}};
        write_model(content_of(train_), hash_of("train.jsonl"));
        write_cell_of(content_of(EvaluateOptions{}), hash_of("dev.jsonl"));
        write_file_atomic(sweep_.root() / kFloor, R"({"targets": {"ko": {"id": [], "right": [], "subset": []}}})");
    }

    static std::string hash_of(const std::string& file) { return "sha256 of " + file; }
    static Json input(const std::string& file) {
        return {{"given", {file}}, {"files", {{{"path", "/nowhere/" + file}, {"sha256", hash_of(file)}}}}};
    }

    void write_model(const Json& options, const std::string& data) const {
        const Json about = {{"data", {{"input_sha256", {{"train.jsonl", data}}}}}};
        write_file_atomic(sweep_.root() / kModel / "xlrm.json", about.dump());
        const Json summary = {{"identity", {{"option", options}, {"model_sha256", model_sha256(folder_ / "base")}}},
                              {"model_sha256", model_sha256(sweep_.root() / kModel)}};
        write_file_atomic(sweep_.root() / kModel / "training.json", summary.dump());
    }

    void write_cell_of(const Json& options, const std::string& data) const {
        Cell cell;
        cell.has_scores = false;
        cell.model_sha256 = model_sha256(sweep_.root() / kModel);
        cell.provenance = {{"options", options}, {"inputs", {{"input_sha256", {{"dev.jsonl", data}}}}}};
        write_cell(sweep_.root() / kCell, cell, Json::object());
    }

    std::string differences() const { return format_differences(compare_outputs(SweepFolder(sweep_.root()), plan_)); }

    TemporaryFolder folder_;
    SweepFolder sweep_{folder_.path() / "sweep"};
    Plan plan_;
    TrainOptions train_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(CompareTest, OutputsWithoutARecipeAreJudgedByWhatTheyRecord) {
    const Comparison found = compare_outputs(sweep_, plan_);
    EXPECT_TRUE(found.differences.empty()) << format_differences(found);
    EXPECT_EQ(found.by_provenance, (std::vector<std::string>{kModel, kCell}));
    EXPECT_EQ(found.unknown, (std::vector<std::string>{kFloor}));
    const std::string said = format_unrecorded(found);
    EXPECT_TRUE(
        has(said, "models/b.en.s1, cells/b.en.s1/x.ko.h5: record no recipe (made by an earlier version); what is recorded"))
        << said;
    EXPECT_TRUE(has(said, "floors/en.x.json: records no recipe (made by an earlier version); nothing recorded says")) << said;
}

TEST_F(CompareTest, AnOptionThatAnEarlierVersionDidNotHaveHadItsDefault) {
    Json options = content_of(train_);
    options.erase("share_prefix");
    write_model(options, hash_of("train.jsonl"));
    EXPECT_EQ(differences(), "");
}

TEST_F(CompareTest, NamesOptionsAndInputFilesThatDiffer) {
    TrainOptions other = train_;
    other.lr = 0.5;
    write_model(content_of(other), hash_of("train.jsonl"));
    EXPECT_TRUE(has(differences(), "models/b.en.s1 was trained with lr = 0.5, not 1e-05")) << differences();
    other = train_;
    other.langs = {"es", "en"};
    write_model(content_of(other), hash_of("train.jsonl"));
    EXPECT_TRUE(has(differences(), "was trained in the languages en+es, not en; move it away, or give the source another name"))
        << differences();
    write_model(content_of(train_), "of other rows");
    EXPECT_TRUE(has(differences(), "models/b.en.s1 was trained on other files than /nowhere/train.jsonl is now"))
        << differences();
    write_model(content_of(train_), hash_of("train.jsonl"));
    write_cell_of(content_of(EvaluateOptions{}), "of other rows");
    EXPECT_TRUE(has(differences(), "cells/b.en.s1/x.ko.h5 was evaluated on other files than /nowhere/dev.jsonl is now"))
        << differences();
}

TEST_F(CompareTest, ACellOfOtherWeightsThanItsModelsIsNamed) {
    write_file_atomic(sweep_.root() / kModel / "model.safetensors", "trained again");
    write_model(content_of(train_), hash_of("train.jsonl"));
    EXPECT_TRUE(has(differences(), "cells/b.en.s1/x.ko.h5 was evaluated with other weights than models/b.en.s1 holds now"))
        << differences();
    plan_.recipes = Json::object();  // a plan of an earlier version
    EXPECT_TRUE(has(differences(), "cells/b.en.s1/x.ko.h5 was evaluated with other weights")) << differences();
}

TEST_F(CompareTest, WhatComesFromADifferentModelIsCountedWithIt) {
    write_file_atomic(folder_ / "base" / "model.safetensors", "another base");
    write_file_atomic(sweep_.root() / kModel / "model.safetensors", "trained again");
    EXPECT_TRUE(has(
        differences(),
        "models/b.en.s1 was trained from another base model than b is now, and 1 result comes from it; move them away, or give "
        "the base another name"))
        << differences();
}

TEST_F(CompareTest, OutputsThatDifferMoveAsideWithWhatBelongsToThem) {
    write_file_atomic(folder_ / "base" / "model.safetensors", "another base");
    write_file_atomic(sweep_.root() / kModel / "model.safetensors", "trained again");
    const Comparison found = compare_outputs(sweep_, plan_);
    EXPECT_EQ(format_superseded(found),
              "models/b.en.s1 was trained from another base model than b is now, and 1 result comes from it\n");
    const std::vector<Superseded> moves = superseded_by(sweep_, found);
    ASSERT_EQ(moves.size(), 2U);
    EXPECT_EQ(moves[0].output, kModel);
    EXPECT_EQ(moves[1].output, kCell);
    const std::string cell = read_file(sweep_.root() / kCell);
    supersede(sweep_, moves);
    EXPECT_FALSE(std::filesystem::exists(sweep_.root() / kModel));
    EXPECT_EQ(read_file(sweep_.root() / moves[0].place / "model.safetensors"), "trained again");
    EXPECT_EQ(read_file(sweep_.root() / moves[1].place), cell);
    EXPECT_TRUE(cell_verifies(sweep_.root() / moves[1].place));
    EXPECT_FALSE(std::filesystem::exists(sweep_.root() / "cells/b.en.s1/x.ko.sha256"));
    EXPECT_TRUE(std::filesystem::exists(sweep_.root() / kFloor));
    EXPECT_TRUE(compare_outputs(SweepFolder(sweep_.root()), plan_).differences.empty());
}

// A killed owner: files beside the cell were copied, the cell itself not yet moved, or moved without them.
TEST_F(CompareTest, AnInterruptedMoveLosesNothing) {
    namespace fs = std::filesystem;
    write_cell_of(content_of(EvaluateOptions{}), "of other rows");
    const fs::path cell = sweep_.root() / kCell;
    const std::string before = read_file(cell);
    std::vector<Superseded> moves = superseded_by(sweep_, compare_outputs(sweep_, plan_));
    ASSERT_EQ(moves.size(), 1U);
    const fs::path place = sweep_.root() / moves[0].place;
    write_file_atomic(place.parent_path() / "x.ko.sha256", "torn");
    moves = superseded_by(SweepFolder(sweep_.root()), compare_outputs(sweep_, plan_));
    ASSERT_EQ(moves.size(), 1U);
    EXPECT_EQ(sweep_.root() / moves[0].place, place);
    supersede(sweep_, moves);
    EXPECT_EQ(read_file(place), before);
    EXPECT_TRUE(cell_verifies(place));
    EXPECT_FALSE(fs::exists(cell));
    fs::copy_file(place.parent_path() / "x.ko.sha256", sweep_.root() / "cells/b.en.s1/x.ko.sha256");
    EXPECT_TRUE(compare_outputs(SweepFolder(sweep_.root()), plan_).differences.empty());
    write_cell_of(content_of(EvaluateOptions{}), hash_of("dev.jsonl"));
    EXPECT_TRUE(cell_verifies(cell));
    EXPECT_EQ(read_file(place), before);
}

TEST_F(CompareTest, APlaceThatIsTakenGetsANumber) {
    TrainOptions other = train_;
    other.lr = 0.5;
    write_model(content_of(other), hash_of("train.jsonl"));
    const std::string place = superseded_by(sweep_, compare_outputs(sweep_, plan_)).at(0).place;
    write_file_atomic(sweep_.root() / place / "config.json", "an earlier one");
    const std::string next = superseded_by(SweepFolder(sweep_.root()), compare_outputs(sweep_, plan_)).at(0).place;
    EXPECT_EQ(next, place.substr(0, place.find("/models")) + "-2/" + kModel);
}

TEST_F(CompareTest, ACheckpointOfAnotherRecipeDiffers) {
    std::filesystem::remove_all(sweep_.root() / kModel);
    std::filesystem::remove_all(sweep_.root() / "cells");
    const auto write_checkpoint = [&](const Json& recipe) {
        write_file_atomic(sweep_.root() / (kModel + ".checkpoint") / "checkpoint.json", Json{{"recipe", recipe}}.dump());
    };
    write_checkpoint(plan_.recipes.at(kModel));
    EXPECT_EQ(differences(), "");
    Json other = plan_.recipes.at(kModel);
    other["options"]["lr"] = 0.5;
    write_checkpoint(other);
    EXPECT_TRUE(has(differences(), "models/b.en.s1.checkpoint was trained with lr = 0.5, not 1e-05")) << differences();
    supersede(sweep_, superseded_by(sweep_, compare_outputs(sweep_, plan_)));
    EXPECT_FALSE(std::filesystem::exists(sweep_.root() / (kModel + ".checkpoint")));
}

}  // namespace
}  // namespace xlrm
