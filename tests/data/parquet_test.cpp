#include <gtest/gtest.h>

#include <cmath>

#include "support/expect_error.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/data/preference_row.hpp"

namespace xlrm {
namespace {

std::filesystem::path file(const std::string& name) { return test::fixture("text/parquet/" + name); }

std::vector<PreferenceRow> rows_of(const std::filesystem::path& path) {
    std::vector<PreferenceRow> rows;
    for_each_row(path, RowKind::preference, "en", [&](std::int64_t number, PreferenceRow&& row) {
        EXPECT_EQ(number, std::ssize(rows) + 1);
        rows.push_back(std::move(row));
    });
    return rows;
}

#if XLRM_HAS_ARROW

// The same rows written by pyarrow and as JSON lines: tests/fixtures/text/make_parquet.py.
TEST(Parquet, GivesTheRowsOfJsonLines) {
    for (const auto& [name, count] : {std::pair{"pairs", 40U}, std::pair{"several", 9U}, std::pair{"chats", 6U}}) {
        const std::vector<PreferenceRow> found = rows_of(file(std::string(name) + ".parquet"));
        const std::vector<PreferenceRow> expected = rows_of(file(std::string(name) + ".jsonl"));
        ASSERT_EQ(found.size(), count) << name;
        ASSERT_EQ(expected.size(), count) << name;
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_EQ(found[i].lang + "|" + found[i].subset, expected[i].lang + "|" + expected[i].subset);
            ASSERT_EQ(found[i].answers.size(), expected[i].answers.size());
            for (std::size_t k = 0; k < expected[i].answers.size(); ++k)
                EXPECT_EQ(found[i].answers[k].text(), expected[i].answers[k].text());
            EXPECT_EQ(found[i].num_correct, expected[i].num_correct);
            ASSERT_EQ(found[i].prompt.size(), expected[i].prompt.size());
            EXPECT_EQ(found[i].prompt[0].role + found[i].prompt[0].content,
                      expected[i].prompt[0].role + expected[i].prompt[0].content);
            EXPECT_TRUE(found[i].margin == expected[i].margin || (std::isnan(found[i].margin) && std::isnan(expected[i].margin)));
            EXPECT_EQ(found[i].id, std::string(name) != "chats" ? expected[i].id : "chats.parquet:" + std::to_string(i + 1));
        }
        EXPECT_EQ(detect_row_kind(file(std::string(name) + ".parquet")), RowKind::preference);
    }
}

TEST(Parquet, NamesFileRowAndField) {
    expect_error([] { rows_of(file("hole.parquet")); }, {"hole.parquet:3", "'chosen'", "missing"});
    expect_error([] { rows_of(file("no_text.parquet")); }, {"no_text.parquet:1", "'chosen'", "UTF-8"});
    expect_error([] { rows_of(file("none.parquet")); }, {"none.parquet", "cannot read"});
}

TEST(Parquet, TakesNumbersOfEveryType) {
    for (const char* name : {"half.parquet", "decimal.parquet", "wide_decimal.parquet"}) {
        const std::vector<PreferenceRow> rows = rows_of(file(name));
        ASSERT_EQ(rows.size(), 3U) << name;
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(rows[i].margin, static_cast<float>(i + 1)) << name;
            EXPECT_EQ(rows[i].id, std::to_string(i + 7)) << name;
        }
    }
    for (const char* name : {"infinite.parquet", "too_large.parquet"}) {
        expect_error([&] { rows_of(file(name)); }, {std::string(name) + ":3: field 'margin' is out of range"});
    }
}

TEST(Parquet, LeavesColumnsAloneThatNoRowNeeds) {
    const std::vector<PreferenceRow> rows = rows_of(file("image.parquet"));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].answers.at(0).text() + rows[0].answers.at(1).text(), "bc");
}

TEST(Parquet, IsKnownByItsFirstBytesAndByItsNameInCapitals) {
    const TemporaryFolder folder;
    const std::string bytes = read_file(file("half.parquet"));
    for (const char* name : {"ROWS.PARQUET", "rows.pq", "rows.jsonl"}) {
        write_file_atomic(folder / name, bytes);
        EXPECT_EQ(detect_row_kind(folder / name), RowKind::preference) << name;
        EXPECT_EQ(rows_of(folder / name).size(), 3U) << name;
    }
}

TEST(Parquet, RefusesDamagedFiles) {
    const TemporaryFolder folder;
    const std::string bytes = read_file(file("pairs.parquet"));
    write_file_atomic(folder / "short.parquet", bytes.substr(0, bytes.size() / 2));
    write_file_atomic(folder / "text.parquet", "{\"prompt\": \"P\"}\n");
    expect_error([&] { rows_of(folder / "short.parquet"); }, {"short.parquet", "Parquet"});
    expect_error([&] { rows_of(folder / "text.parquet"); }, {"text.parquet", "Parquet"});
}

#else

TEST(Parquet, IsRefusedWithoutArrow) {
    expect_error([] { rows_of(file("pairs.parquet")); }, {"pairs.parquet", "without Arrow", "scripts/setup"});
}

#endif

}  // namespace
}  // namespace xlrm
