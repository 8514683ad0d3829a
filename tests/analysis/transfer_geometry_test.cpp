#include "transfer_geometry.hpp"

#include <gtest/gtest.h>

namespace xlrm {
namespace {

const std::vector<std::string> kLanguages = {"en", "es", "it", "ko"};

//! Similarity 1 / (1 + |i − j|) of the languages i and j in the base, none in a trained model.
ResultTable alignment() {
    ResultTable table{"alignment",
                      "",
                      "",
                      {{"base"},
                       {"benchmark"},
                       {"source"},
                       {"capture"},
                       {"layer", ColumnKind::count},
                       {"first_target"},
                       {"second_target"},
                       {"p_at_1", ColumnKind::share},
                       {"margin", ColumnKind::number},
                       {"cka", ColumnKind::number, false, true}},
                      {}};
    for (const std::string source : {"", "en"}) {
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = i + 1; j < 4; ++j) {
                const double near = source.empty() ? 1.0 / static_cast<double>(1 + j - i) : 0.0;
                table.add({"b", "x", source, "last", std::int64_t{3}, kLanguages[i], kLanguages[j], Estimate(0.5),
                           Estimate(near * near), EstimateWithInterval{near, 0.1, near - 0.2, near + 0.2}});
            }
        }
    }
    return table;
}

//! The gap of i on j is −|i − j| points, of category "all" and kind "own"; other rows say the opposite.
ResultTable gaps(const std::string& without = "") {
    ResultTable table{
        "gaps",
        "",
        "",
        {{"base"}, {"benchmark"}, {"category"}, {"kind"}, {"source"}, {"target"}, {"gap", ColumnKind::points, false, true}},
        {}};
    for (const std::string kind : {"own", "english"}) {
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                if (i == j || kLanguages[i] == without) continue;
                const double distance = std::abs(static_cast<double>(i) - static_cast<double>(j));
                const double gap = 0.01 * (kind == "own" ? -distance : distance);
                table.add({"b", "x", "all", kind, kLanguages[i], kLanguages[j], EstimateWithInterval{gap, 0.1, gap, gap}});
            }
        }
    }
    return table;
}

TEST(TransferGeometry, FindsThatNearLanguagesTransfer) {
    const ResultTable table = transfer_geometry(alignment(), gaps());
    ASSERT_EQ(table.rows.size(), 3U);  // cka, margin, p_at_1 of the base's one layer
    const auto row = [&](const std::string& measure) {
        for (const auto& one : table.rows)
            if (std::get<std::string>(one[4]) == measure) return one;
        throw std::runtime_error("no row");
    };
    EXPECT_NEAR(std::get<Estimate>(row("cka")[6]).value(), 1.0, 1e-12);
    EXPECT_NEAR(std::get<Estimate>(row("margin")[6]).value(), 1.0, 1e-12);
    EXPECT_EQ(std::get<std::int64_t>(row("cka")[5]), 4);
    EXPECT_EQ(std::get<std::int64_t>(row("cka")[8]), 24);
    EXPECT_NEAR(std::get<Estimate>(row("cka")[7]).value(), 2.0 / 24, 1e-12);  // the order and its reverse
    EXPECT_EQ(std::get<Estimate>(row("p_at_1")[6]).why(), Undefined::no_variation);
}

TEST(TransferGeometry, LeavesOutALanguageThatLacksGaps) {
    const ResultTable table = transfer_geometry(alignment(), gaps("ko"));
    EXPECT_EQ(std::get<std::int64_t>(table.rows.front()[5]), 3);
    ResultTable none = gaps();
    none.rows.clear();
    EXPECT_TRUE(transfer_geometry(alignment(), none).rows.empty());
}

}  // namespace
}  // namespace xlrm
