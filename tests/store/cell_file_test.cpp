#include "xlrm/store/cell_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "store/cell_content.hpp"
#include "store/sample_cell.hpp"
#include "support/expect_error.hpp"
#include "support/full_disk.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/store/index.hpp"
#include "xlrm/store/items_file.hpp"
#include "xlrm/store/states_file.hpp"

namespace xlrm {
namespace {

//! Bytes that no filter makes much smaller.
RowSource noise_rows(DType dtype, std::int64_t rows, std::int64_t features) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(rows * features * dtype_bytes(dtype)));
    Random random(3, static_cast<std::uint64_t>(rows + features));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    return rows_in_memory(std::move(bytes), features * dtype_bytes(dtype));
}

const Json kRun = {{"host", "node1"}, {"ranks", 3}};

TEST(CellFile, RoundTripOfScoresAttributesAndHead) {
    const TemporaryFolder folder;
    const Cell cell = sample_cell();
    write_cell(folder / "bench.es.h5", cell, kRun);
    const CellScores read = read_cell_scores(folder / "bench.es.h5");
    EXPECT_EQ(read.id, cell.id);
    EXPECT_EQ(read.subset, cell.subset);
    EXPECT_EQ(read.lang, cell.lang);
    EXPECT_EQ(read.occurrence, cell.occurrence);
    EXPECT_EQ(read.chosen, cell.chosen);
    EXPECT_EQ(read.rejected, cell.rejected);
    EXPECT_EQ(read.chosen_tokens, cell.chosen_tokens);
    EXPECT_EQ(read.rejected_tokens, cell.rejected_tokens);
    EXPECT_EQ(read.max_answers, 4);
    EXPECT_EQ(read.num_correct, cell.num_correct);
    ASSERT_EQ(read.response.size(), cell.response.size());
    for (std::size_t i = 0; i < read.response.size(); ++i)
        EXPECT_TRUE(read.response[i] == cell.response[i] || (std::isnan(read.response[i]) && std::isnan(cell.response[i]))) << i;
    EXPECT_EQ(read.final_norm, cell.final_norm);
    EXPECT_EQ(read.head_weight, cell.head_weight);
    EXPECT_EQ(read.norm_eps, 1e-5);
    EXPECT_EQ(read.attributes["model"], "base.ko.s1");
    EXPECT_EQ(read.attributes["seed"], 7);
    EXPECT_EQ(read.attributes["Conventions"], "XLRM-1");
    EXPECT_EQ(read.attributes["state"], "complete");
    EXPECT_EQ(read.attributes["xlrm_provenance"].dump(), cell.provenance.dump());
    EXPECT_EQ(read_cell_attributes(folder / "bench.es.h5").dump(), read.attributes.dump());
}

TEST(CellFile, OccurrencesThatAFileLacksFollowFromTheOrder) {
    const CellScores read = read_cell_scores(std::string(XLRM_SOURCE_DIR) + "/tests/fixtures/store/cell_without_occurrence.h5");
    EXPECT_EQ(read.id, (std::vector<std::string>{"a", "a", "a", "b", "a"}));
    EXPECT_EQ(read.occurrence, (std::vector<std::int32_t>{0, 0, 1, 0, 2}));  // the second is Korean
}

TEST(CellFile, ActivationsOfEveryTypeReadAsFloat) {
    const TemporaryFolder folder;
    write_cell(folder / "bench.es.h5", sample_cell(), kRun);
    EXPECT_EQ(cell_layers(folder / "bench.es.h5"),
              (std::map<std::string, std::vector<int>>{{"last", {0, 1, 2}}, {"mean", {0, 1, 2}}}));
    for (int layer = 0; layer < 3; ++layer) {
        std::int64_t features = 0;
        const std::vector<float> rows = read_cell_activations(folder / "bench.es.h5", "mean", layer, "rejected", &features);
        ASSERT_EQ(features, 6);
        ASSERT_EQ(rows.size(), 30U);
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_EQ(rows[i], sample_value(static_cast<std::size_t>(layer) + 100U + i));
        ActivationBuffer some;
        for (const std::int64_t count : {std::int64_t{2}, std::int64_t{99}, std::int64_t{0}}) {  // the first so many items
            read_cell_activations(folder / "bench.es.h5", "mean", layer, "rejected", some, count);
            const auto expected = static_cast<std::ptrdiff_t>(6 * std::min<std::int64_t>(count, 5));
            EXPECT_EQ(some.values, std::vector<float>(rows.begin(), rows.begin() + expected)) << count;
            EXPECT_EQ(some.features, 6);
        }
    }
    expect_error([&] { read_cell_activations(folder / "bench.es.h5", "last", 3, "chosen", nullptr); },
                 {"bench.es.h5", "layer_03"});
    const TokenActivations tokens = read_cell_tokens(folder / "bench.es.h5", 1, "chosen");
    EXPECT_EQ(tokens.item, (std::vector<std::int64_t>{0, 3}));
    EXPECT_EQ(tokens.row_size, (std::vector<std::int32_t>{2, 3}));
    ASSERT_EQ(tokens.values.size(), 30U);
    for (std::size_t i = 0; i < tokens.values.size(); ++i) EXPECT_EQ(tokens.values[i], sample_value(50 + i));
}

TEST(CellFile, EqualCellsAreEqualFilesWhateverTheRun) {
    const TemporaryFolder folder;
    const TemporaryFolder other;
    write_cell(folder / "a.es.h5", sample_cell(), kRun);
    // Memory that was used before must not show in the file.
    std::vector<std::string> noise(100, std::string(1 << 16, 'x'));
    noise.clear();
    write_cell(other / "a.es.h5", sample_cell(), {{"host", "node2"}});
    const std::string bytes = read_file(folder / "a.es.h5");
    EXPECT_EQ(bytes, read_file(other / "a.es.h5"));
    EXPECT_EQ(read_file(folder / "a.es.sha256"), sha256(bytes) + "  a.es.h5\n");
    EXPECT_EQ(read_json(other / "a.es.run.json")["host"], "node2");
    Cell changed = sample_cell();
    changed.chosen[4] = 2e-30F;
    write_cell(folder / "a.es.h5", changed, kRun);
    EXPECT_NE(bytes, read_file(folder / "a.es.h5"));
}

TEST(CellFile, BaseModelHasIdsAndActivationsButNoScores) {
    const TemporaryFolder folder;
    Cell cell = sample_cell();
    cell.has_scores = false;
    cell.head = "none";
    cell.max_answers = 2;
    for (auto* scores : {&cell.chosen, &cell.rejected, &cell.response, &cell.head_weight}) scores->clear();
    cell.num_correct.clear();
    write_cell(folder / "base.es.h5", cell, kRun);
    const CellScores read = read_cell_scores(folder / "base.es.h5");
    EXPECT_FALSE(read.has_scores);
    EXPECT_EQ(read.id, cell.id);
    EXPECT_TRUE(read.chosen.empty());
    EXPECT_TRUE(read.head_weight.empty());
    EXPECT_EQ(read.final_norm, cell.final_norm);
    EXPECT_EQ(read_cell_activations(folder / "base.es.h5", "last", 2, "chosen", nullptr).size(), 30U);
}

TEST(CellFile, EmptyCellIsAFileToo) {
    const TemporaryFolder folder;
    write_cell(folder / "none.es.h5", Cell{}, kRun);
    EXPECT_TRUE(read_cell_scores(folder / "none.es.h5").id.empty());
}

TEST(CellFile, ABaseModelsCellMayBeOfRankings) {
    const TemporaryFolder folder;
    Cell cell = sample_cell();
    cell.has_scores = false;
    cell.chosen.clear();
    cell.rejected.clear();
    cell.response.clear();
    cell.num_correct.clear();
    write_cell(folder / "base.es.h5", cell, kRun);
    EXPECT_FALSE(read_cell_scores(folder / "base.es.h5").has_scores);
    EXPECT_EQ(read_cell_scores(folder / "base.es.h5").id.size(), 5U);
}

TEST(CellFile, FilesOfOtherKindsAreRefusedByWhatTheyHold) {
    const TemporaryFolder folder;
    write_items(folder / "items.h5", {});
    States states;
    states.row_size = {1};
    states.features = 1;
    states.hidden = {{0, {1.0F}}};
    write_states(folder / "states.h5", states);
    write_index(folder / "index.h5", {});
    write_cell(folder / "cell.es.h5", sample_cell(), kRun);
    const std::vector<std::pair<std::string, std::string>> files = {{"items.h5", "items that xlrm_prepare made"},
                                                                    {"states.h5", "states"},
                                                                    {"index.h5", "the index of a sweep"},
                                                                    {"cell.es.h5", "the cell of an evaluation"}};
    for (const auto& [file, content] : files) {
        if (file != "items.h5") expect_error([&] { read_items(folder / file); }, {file, content, "xlrm_prepare"});
        if (file != "items.h5") expect_error([&] { read_item_attributes(folder / file); }, {file, content});
        if (file != "states.h5") expect_error([&] { read_states(folder / file); }, {file, content});
        if (file != "index.h5") expect_error([&] { read_index(folder / file); }, {file, content});
        if (file != "cell.es.h5")
            expect_error([&] { read_cell_scores(folder / file); }, {file, content, "the cell of an evaluation"});
    }
}

TEST(CellFile, ProvenanceMayBeLarge) {
    const TemporaryFolder folder;
    Cell cell = sample_cell();
    for (int i = 0; i < 2000; ++i) cell.provenance["inputs"]["file" + std::to_string(i)] = std::string(64, 'e');
    write_cell(folder / "a.es.h5", cell, kRun);
    EXPECT_EQ(read_cell_scores(folder / "a.es.h5").attributes["xlrm_provenance"].dump(), cell.provenance.dump());
}

TEST(CellFile, RefusesArraysThatDoNotAgreeAndScoresThatAreNotFinite) {
    const TemporaryFolder folder;
    const auto refused = [&](const std::function<void(Cell&)>& spoil, const std::vector<std::string>& parts) {
        Cell cell = sample_cell();
        spoil(cell);
        std::vector<std::string> all = parts;
        all.push_back("bad.es.h5");
        expect_error([&] { write_cell(folder / "bad.es.h5", cell, kRun); }, all);
    };
    refused([](Cell& c) { c.subset.pop_back(); }, {"subset", "4", "5"});
    refused([](Cell& c) { c.rejected.push_back(0.0F); }, {"rejected"});
    refused([](Cell& c) { c.response.pop_back(); }, {"response"});
    refused([](Cell& c) { c.chosen[1] = std::numeric_limits<float>::quiet_NaN(); }, {"chosen", "'b – 한국어'", "nan"});
    refused([](Cell& c) { c.rejected[2] = std::numeric_limits<float>::infinity(); }, {"rejected", "'c'", "inf"});
    refused([](Cell& c) { c.activations["last"][1].rejected.rows -= 1; }, {"/activations/last/layer_01/rejected", "4", "5"});
    refused([](Cell& c) { c.token_activations["chosen"][0].row_size[0] = 3; }, {"/activations/tokens/layer_01/chosen/values"});
    refused([](Cell& c) { c.token_activations["chosen"][0].item[0] = 5; }, {"/activations/tokens/layer_01/chosen/item", "5"});
    // A ranking's scores: as many as there are answers, one after another, some right and some wrong.
    const float none = std::numeric_limits<float>::quiet_NaN();
    refused([&](Cell& c) { c.response[1] = none; }, {"'a-1'", "1 of its 1"});
    refused([&](Cell& c) { c.response[9] = none; }, {"'c'", "response"});
    refused([](Cell& c) { c.response[4] = std::numeric_limits<float>::infinity(); }, {"'b – 한국어'", "not finite"});
    refused([](Cell& c) { c.num_correct[2] = 0; }, {"'c'", "0 of its 4"});
    refused([](Cell& c) { c.num_correct[2] = 4; }, {"'c'", "4 of its 4"});
    refused([](Cell& c) { c.num_correct.pop_back(); }, {"num_correct"});
    refused([](Cell& c) { c.head_weight.pop_back(); }, {"/head/weight"});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

class DamagedCell : public testing::Test {
protected:
    void SetUp() override {
        write_cell(path_, sample_cell(), kRun);
        bytes_ = read_file(path_);
    }
    void put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }
    TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "bench.es.h5";
    std::string bytes_;
};

TEST_F(DamagedCell, VerifiesOnlyWhenWhole) {
    EXPECT_TRUE(cell_verifies(path_));
    put(bytes_.substr(0, bytes_.size() - 1));
    EXPECT_FALSE(cell_verifies(path_));
    put("");
    EXPECT_FALSE(cell_verifies(path_));
    put("text");
    EXPECT_FALSE(cell_verifies(path_));
    put(bytes_);
    EXPECT_TRUE(cell_verifies(path_));
    std::filesystem::remove(folder_ / "bench.es.sha256");
    EXPECT_FALSE(cell_verifies(path_));
    std::filesystem::remove(path_);
    EXPECT_FALSE(cell_verifies(path_));
    std::filesystem::create_directory(path_);
    EXPECT_FALSE(cell_verifies(path_));
}

TEST_F(DamagedCell, EveryFlippedBitIsFound) {
    for (std::size_t at = 0; at < bytes_.size(); at += bytes_.size() / 100) {
        std::string flipped = bytes_;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
        put(flipped);
        EXPECT_FALSE(cell_verifies(path_)) << at;
        expect_error([&] { read_cell_scores(path_); }, {"bench.es.h5", "SHA-256"});
    }
}

TEST_F(DamagedCell, WithoutItsHashATruncatedOrForeignFileIsStillRefusedByName) {
    std::filesystem::remove(folder_ / "bench.es.sha256");
    testing::internal::CaptureStderr();
    EXPECT_NO_THROW(read_cell_scores(path_));
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, bytes_.size() / 2, bytes_.size() - 1}) {
        put(bytes_.substr(0, size));
        expect_error([&] { read_cell_scores(path_); }, {"bench.es.h5", "H5F"});
    }
    put("PK\3\4 not HDF5 at all");
    expect_error([&] { read_cell_scores(path_); }, {"bench.es.h5", "H5Fopen"});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "HDF5 must not print by itself";
}

// As cells were written before they were streamed: every row at once, into an image.
std::string image_of(const Cell& cell) {
    const h5::OutFile file("image.h5");
    put_cell(file, cell);
    return file.image();
}

TEST(CellFile, StreamedRowsGiveTheBytesOfAMemoryImage) {
    const TemporaryFolder folder;
    struct Shape {
        std::int64_t items, features;
    };
    // Less than a chunk; a chunk and its like; several pieces of several chunks; chunks beyond HDF5's cache; many rows.
    for (const auto& [items, features] :
         {Shape{5, 6}, Shape{512, 16}, Shape{513, 16}, Shape{5000, 700}, Shape{1100, 1500}, Shape{300000, 2}}) {
        Cell cell = sample_cell();
        cell.has_scores = false;
        for (auto* scores : {&cell.chosen, &cell.rejected, &cell.response}) scores->clear();
        cell.num_correct.clear();
        const auto count = static_cast<std::size_t>(items);
        for (auto* texts : {&cell.id, &cell.subset, &cell.lang}) texts->resize(count, "한");
        cell.occurrence.resize(count);
        cell.chosen_tokens.resize(count);
        cell.rejected_tokens.resize(count);
        for (auto& [capture, layers] : cell.activations)
            for (LayerRows& layer : layers) {
                layer.features = features;
                layer.chosen = sample_rows(layer.dtype, items, features, 1);
                layer.rejected = noise_rows(layer.dtype, items, features);
            }
        write_cell(folder / "a.h5", cell, kRun);
        EXPECT_TRUE(read_file(folder / "a.h5") == image_of(cell)) << items << " items of " << features;
        EXPECT_TRUE(cell_verifies(folder / "a.h5"));
    }
    write_cell(folder / "a.h5", sample_cell(), kRun);
    EXPECT_TRUE(read_file(folder / "a.h5") == image_of(sample_cell()));
}

TEST(CellFile, RowsAreAskedForOnceInOrderAndAFailureLeavesWhatWasThere) {
    const TemporaryFolder folder;
    Cell cell = sample_cell();
    write_cell(folder / "a.h5", cell, kRun);
    const std::string before = read_file(folder / "a.h5");
    const std::string hash = read_file(folder / "a.sha256");
    std::int64_t next = 0;
    cell.activations["last"][0].chosen.read = [&](std::int64_t first, std::span<std::byte> out) {
        EXPECT_EQ(first, next);
        next += std::ssize(out) / 12;
    };
    cell.activations["mean"][2].rejected.read = [](std::int64_t, std::span<std::byte>) { fail("rank 3: no more rows"); };
    expect_error([&] { write_cell(folder / "a.h5", cell, kRun); }, {"rank 3: no more rows"});
    EXPECT_EQ(next, 5);
    EXPECT_TRUE(read_file(folder / "a.h5") == before);
    EXPECT_EQ(read_file(folder / "a.sha256"), hash);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 3);
}

TEST(CellFile, FullDiskIsAnErrorAndLeavesNoCell) {
    const SmallDisk disk(1 << 16);
    if (!disk.mounted()) GTEST_SKIP() << "a small disk can only be mounted by root";
    Cell cell = sample_cell();
    for (auto& [capture, layers] : cell.activations) {
        for (LayerRows& layer : layers) {
            layer.features = 20000;
            layer.chosen = layer.rejected = noise_rows(layer.dtype, 5, 20000);
        }
    }
    expect_error([&] { write_cell(disk.path() / "cells/bench.es.h5", cell, kRun); }, {"bench.es.h5", "No space left"});
    EXPECT_FALSE(cell_verifies(disk.path() / "cells/bench.es.h5"));
    EXPECT_FALSE(std::filesystem::exists(disk.path() / "cells/bench.es.h5"));
    for (const auto& entry : std::filesystem::directory_iterator(disk.path() / "cells"))
        EXPECT_EQ(entry.path().filename().string().find("tmp"), std::string::npos) << entry.path();
}

}  // namespace
}  // namespace xlrm
