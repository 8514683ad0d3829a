#include "xlrm/store/analysis_file.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

AnalysisTable small_table() {
    return {"gaps",
            "A title",
            "A note",
            {{"target", std::vector<std::string>{"ko", "zh"}, {}},
             {"items", std::vector<std::int64_t>{3, 4}, {}},
             {"gap", std::vector<double>{0.5, kUndefinedValue}, {"", "missing_cell"}}}};
}

TEST(AnalysisFile, EqualContentGivesEqualBytes) {
    TemporaryFolder folder;
    write_analysis(folder / "a.h5", {small_table()}, {{"version", "1"}});
    write_analysis(folder / "b.h5", {small_table()}, {{"version", "1"}});
    EXPECT_EQ(read_file(folder / "a.h5"), read_file(folder / "b.h5"));
    AnalysisTable other = small_table();
    other.columns[2].undefined[1] = "one_seed";
    write_analysis(folder / "b.h5", {other}, {{"version", "1"}});
    EXPECT_NE(read_file(folder / "a.h5"), read_file(folder / "b.h5"));
}

TEST(AnalysisFile, ATableWithoutRowsIsWritten) {
    TemporaryFolder folder;
    write_analysis(folder / "a.h5",
                   {{"empty", "t", "n", {{"name", std::vector<std::string>(), {}}, {"gap", std::vector<double>(), {}}}}}, {});
    EXPECT_TRUE(std::filesystem::exists(folder / "a.h5"));
}

TEST(AnalysisFile, RefusesColumnsOfUnequalLengths) {
    TemporaryFolder folder;
    AnalysisTable table = small_table();
    table.columns[1].values = std::vector<std::int64_t>{3};
    expect_error([&] { write_analysis(folder / "a.h5", {table}, {}); }, {"a.h5:/gaps/items", "rows"});
    table = small_table();
    table.columns[2].undefined.pop_back();
    expect_error([&] { write_analysis(folder / "a.h5", {table}, {}); }, {"a.h5:/gaps/gap"});
    EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
}

}  // namespace
}  // namespace xlrm
