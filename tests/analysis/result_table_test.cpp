#include "xlrm/analysis/result_table.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace xlrm {
namespace {

ResultTable small_table() {
    ResultTable table{"t",
                      "A title",
                      "A note.",
                      {{"name", ColumnKind::text},
                       {"n", ColumnKind::count},
                       {"share", ColumnKind::share},
                       {"gap", ColumnKind::points, false, true},
                       {"p", ColumnKind::p},
                       {"kappa", ColumnKind::number, true}},
                      {}};
    table.add({"a,\"b\"", std::int64_t{3}, Estimate(0.5), EstimateWithInterval{0.0312, 0.01, 0.012, 0.05}, Estimate(0.0004),
               Estimate(1.0 / 3)});
    table.add({"x_y & 5%", std::int64_t{0}, Estimate(Undefined::missing_cell),
               EstimateWithInterval{-0.00001, Undefined::one_cluster, Undefined::one_cluster, Undefined::one_cluster},
               Estimate(0.25), Estimate(Undefined::no_variation)});
    return table;
}

TEST(ResultTable, AsCsvHasAllColumnsAndReasons) {
    EXPECT_EQ(format_csv(small_table()),
              "name,n,share,gap,gap_se,gap_low,gap_high,p,kappa,undefined\n"
              "\"a,\"\"b\"\"\",3,0.5,0.0312,0.01,0.012,0.05,0.0004,0.3333333333,\n"
              "x_y & "
              "5%,0,,-1e-05,,,,0.25,,share:missing_cell;gap_se:one_cluster;gap_low:one_cluster;gap_high:one_cluster;kappa:no_"
              "variation\n");
}

TEST(ResultTable, AsMarkdownIsShortAndSaysWhy) {
    EXPECT_EQ(format_markdown(small_table()),
              "### A title\n\nA note.\n\n"
              "| name | n | share % | gap (points) | p |\n"
              "|---|---:|---:|---:|---:|\n"
              "| a,\"b\" | 3 | 50.0 | +3.1 [+1.2, +5.0] | <0.001 |\n"
              "| x_y & 5% | 0 | – | +0.0 | 0.250 |\n"
              "\n– or no interval: not defined (missing_cell, one_cluster)\n");
    ResultTable empty = small_table();
    empty.rows.clear();
    EXPECT_NE(format_markdown(empty).find("No rows."), std::string::npos);
    EXPECT_EQ(format_csv(empty), "name,n,share,gap,gap_se,gap_low,gap_high,p,kappa,undefined\n");
}

TEST(ResultTable, AsLatexEscapesAndKeepsValueAndIntervalApart) {
    const std::string text = format_latex(small_table());
    EXPECT_NE(text.find("\\begin{tabular}{lrrrr}\n\\toprule\nname & n & share \\% & gap (points) & p \\\\\n\\midrule\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("\\xlrmvalue{+3.1}\\xlrmci{+1.2}{+5.0} & \\xlrmvalue{$<$0.001} \\\\"), std::string::npos) << text;
    EXPECT_NE(text.find("x\\_y \\& 5\\% & 0 & -- & \\xlrmvalue{+0.0} &"), std::string::npos) << text;
}

TEST(ResultTable, ComesBackFromJson) {
    const ResultTable table = small_table(), again = table_from_json(parse_json(to_json(table).dump(), "table"));
    EXPECT_EQ(format_csv(again), format_csv(table));
    EXPECT_EQ(format_markdown(again), format_markdown(table));
    EXPECT_EQ(format_latex(again), format_latex(table));
}

TEST(ResultTable, RefusesARowOfAnotherShape) {
    ResultTable table = small_table();
    expect_error([&] { table.add({"alone"}); }, {"table t", "1 values instead of 6"});
    expect_error(
        [&] {
            table.add({"a", "b", Estimate(0.5), EstimateWithInterval{}, Estimate(0.5), Estimate(0.5)});
        },
        {"another kind than its column n"});
}

}  // namespace
}  // namespace xlrm
