#include "xlrm/store/items_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

ItemSet small_set() {
    ItemSet set;
    for (int i = 0; i < 3000; ++i) set.tokens.push_back((i * 37) % 500);
    set.answers = {{0, 1000, 400}, {1000, 900, 400}, {1900, 1, 0}, {1901, 99, 99}, {2000, 1000, 0}};
    set.items = {{"a-1", "ko", "chat", 0, 2, 1, 0.5F},
                 {"b – 한국어", "es", "", 2, 3, 2, std::numeric_limits<float>::quiet_NaN()}};
    set.attributes = {{"template", "none"}, {"max_length", 1024}, {"report", {{"ko", {{"kept", 1}}}}}};
    return set;
}

TEST(ItemsFile, RoundTripKeepsEverything) {
    const TemporaryFolder folder;
    ItemSet set = small_set();
    set.items[1].occurrence = 4;
    write_items(folder / "items.h5", set);
    const ItemSet read = read_items(folder / "items.h5");
    EXPECT_EQ(read.tokens, set.tokens);
    EXPECT_EQ(read.attributes.dump(), set.attributes.dump());
    ASSERT_EQ(read.answers.size(), set.answers.size());
    for (std::size_t i = 0; i < set.answers.size(); ++i) {
        EXPECT_EQ(read.answers[i].begin, set.answers[i].begin);
        EXPECT_EQ(read.answers[i].length, set.answers[i].length);
        EXPECT_EQ(read.answers[i].prompt, set.answers[i].prompt);
    }
    ASSERT_EQ(read.items.size(), set.items.size());
    for (std::size_t i = 0; i < set.items.size(); ++i) {
        EXPECT_EQ(read.items[i].id, set.items[i].id);
        EXPECT_EQ(read.items[i].lang, set.items[i].lang);
        EXPECT_EQ(read.items[i].subset, set.items[i].subset);
        EXPECT_EQ(read.items[i].first_answer, set.items[i].first_answer);
        EXPECT_EQ(read.items[i].answers, set.items[i].answers);
        EXPECT_EQ(read.items[i].num_correct, set.items[i].num_correct);
        EXPECT_EQ(read.items[i].occurrence, set.items[i].occurrence);
    }
    EXPECT_EQ(read.items[0].margin, 0.5F);
    EXPECT_TRUE(std::isnan(read.items[1].margin));
}

TEST(ItemsFile, OccurrencesThatAFileLacksFollowFromTheOrder) {
    const ItemSet set = read_items(std::string(XLRM_SOURCE_DIR) + "/tests/fixtures/store/items_without_occurrence.h5");
    std::vector<std::pair<std::string, std::int32_t>> found;
    for (const Item& item : set.items) found.emplace_back(item.lang + " " + item.id, item.occurrence);
    EXPECT_EQ(found, (std::vector<std::pair<std::string, std::int32_t>>{
                         {"en a", 0}, {"ko a", 0}, {"en a", 1}, {"en b", 0}, {"en a", 2}}));
}

TEST(ItemsFile, KeepsLabels) {
    const TemporaryFolder folder;
    ItemSet set = small_set();
    const std::string plain = (write_items(folder / "plain.h5", set), read_file(folder / "plain.h5"));
    set.items[1].labels = {1.0F, 2.5F, std::numeric_limits<float>::quiet_NaN()};
    write_items(folder / "labels.h5", set);
    const ItemSet read = read_items(folder / "labels.h5");
    EXPECT_TRUE(read.items[0].labels.empty());
    ASSERT_EQ(read.items[1].labels.size(), 3U);
    EXPECT_EQ(read.items[1].labels[1], 2.5F);
    EXPECT_TRUE(std::isnan(read.items[1].labels[2]));
    EXPECT_EQ(plain.find("labels"), std::string::npos);
}

TEST(ItemsFile, KeepsWhereACompletionBegins) {
    const TemporaryFolder folder;
    ItemSet set = small_set();
    write_items(folder / "plain.h5", set);
    EXPECT_EQ(read_file(folder / "plain.h5").find("completion"), std::string::npos);
    set.answers[1].lead = 150;
    write_items(folder / "parted.h5", set);
    const ItemSet read = read_items(folder / "parted.h5");
    EXPECT_EQ(read.answers[0].completion(), 400);
    EXPECT_EQ(read.answers[1].prompt, 400);
    EXPECT_EQ(read.answers[1].completion(), 250);
    set.answers[1].lead = -30;
    write_items(folder / "after.h5", set);
    EXPECT_EQ(read_items(folder / "after.h5").answers[1].completion(), 430);
}

TEST(ItemsFile, EqualContentGivesEqualBytes) {
    const TemporaryFolder folder;
    write_items(folder / "a.h5", small_set());
    write_items(folder / "b.h5", small_set());
    EXPECT_EQ(read_file(folder / "a.h5"), read_file(folder / "b.h5"));
}

TEST(Items, TokensBeyondTheEmbeddingAreRefused) {
    ItemSet set = small_set();  // tokens 0 to 499
    require_known_tokens(set, 500, "m");
    require_known_tokens({}, 1, "m");
    expect_error([&] { require_known_tokens(set, 499, "the model m"); }, {"token 499", "499 of the model m"});
    set.tokens[7] = -1;
    expect_error([&] { require_known_tokens(set, 500, "m"); }, {"token -1"});
}

TEST(ItemsFile, AttributesAreReadAlone) {
    const TemporaryFolder folder;
    write_items(folder / "items.h5", small_set());
    EXPECT_EQ(read_item_attributes(folder / "items.h5").dump(), small_set().attributes.dump());
}

TEST(ItemsFile, EmptySetIsAFileToo) {
    const TemporaryFolder folder;
    write_items(folder / "empty.h5", ItemSet{});
    EXPECT_TRUE(read_items(folder / "empty.h5").items.empty());
}

TEST(ItemsFile, RefusesWhatItsReaderCouldNotUse) {
    const TemporaryFolder folder;
    const auto refused = [&](const std::function<void(ItemSet&)>& spoil, const std::vector<std::string>& parts) {
        ItemSet set = small_set();
        spoil(set);
        expect_error([&] { write_items(folder / "bad.h5", set); }, parts);
    };
    refused([](ItemSet& s) { s.answers[4].length = 1001; }, {"bad.h5", "/answers", "row 4", "outside /tokens"});
    refused([](ItemSet& s) { s.answers[1].prompt = 901; }, {"bad.h5", "/answers/prompt", "row 1"});
    refused([](ItemSet& s) { s.answers[1].lead = 401; }, {"bad.h5", "/answers/completion", "row 1"});
    refused([](ItemSet& s) { s.answers[1].lead = -501; }, {"bad.h5", "/answers/completion", "row 1"});
    refused([](ItemSet& s) { s.items[1].answers = 4; }, {"bad.h5", "/items", "row 1", "outside /answers"});
    refused([](ItemSet& s) { s.items[0].num_correct = 3; }, {"bad.h5", "num_correct", "'a-1'"});
    refused([](ItemSet& s) { s.tokens[7] = -1; }, {"bad.h5", "/tokens", "token 7"});
    refused([](ItemSet& s) { s.items[0].id = std::string("a\0b", 3); }, {"bad.h5", "/items/id", "row 0", "NUL"});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ItemsFile, RefusesTruncatedForeignAndMissingFilesByName) {
    const TemporaryFolder folder;
    write_items(folder / "items.h5", small_set());
    const std::string whole = read_file(folder / "items.h5");
    testing::internal::CaptureStderr();
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
        std::ofstream(folder / "cut.h5", std::ios::binary | std::ios::trunc) << whole.substr(0, size);
        expect_error([&] { read_items(folder / "cut.h5"); }, {"cut.h5", "H5F"});
    }
    std::ofstream(folder / "text.h5") << "not HDF5";
    expect_error([&] { read_items(folder / "text.h5"); }, {"text.h5", "H5Fopen", "signature"});
    expect_error([&] { read_items(folder / "none.h5"); }, {"none.h5", "no such file"});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "HDF5 must not print by itself";
}

TEST(ItemsFile, ChecksumsOfTheDataCatchFlippedBits) {
    const TemporaryFolder folder;
    ItemSet set = small_set();
    std::uint32_t state = 1;
    for (int i = 3000; i < 60000; ++i)
        set.tokens.push_back(static_cast<std::int32_t>((state = state * 1664525U + 1013904223U) >> 12));
    write_items(folder / "items.h5", set);
    const std::string whole = read_file(folder / "items.h5");
    std::string flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 4);  // within /tokens, by far the largest part
    std::ofstream(folder / "flipped.h5", std::ios::binary) << flipped;
    expect_error([&] { read_items(folder / "flipped.h5"); }, {"flipped.h5", "/tokens", "H5Dread"});
}

}  // namespace
}  // namespace xlrm
